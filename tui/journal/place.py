"""Where a profile's journal is."""

from pathlib import Path

from profiles.places import journal_folder
from profiles.schema import Profile
from tui.journal.journal import Journal


def journal_of(profile: Profile) -> Journal:
    """Return the journal of a profile: in the folder its team shares, else in this user's own; nothing is made."""
    if profile.state_dir is not None:
        return Journal(Path(profile.state_dir), profile.name, profile.environment, is_shared=True)
    return Journal(journal_folder(), profile.name, profile.environment)
