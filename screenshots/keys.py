"""Writes the README's table of keys from the bindings: `make keys`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from textual.binding import BindingType

from tui.app import OpsApp
from tui.keys import keys_table
from tui.panes.listing import Listing
from tui.panes.pane import Pane
from tui.panes.tabs import TABS
from tui.panes.timeline import Entries
from widgets.live_table import LiveTable

README: Final = Path(__file__).parents[1] / "README.md"
_PLACE: Final = re.compile(r"(<!-- keys: begin -->\n).*?(<!-- keys: end -->)", re.DOTALL)


def readme_with_keys() -> str:
    """Return the README with the table as the bindings have it now."""
    listings = [tab.title for tab in TABS if issubclass(tab.pane(), Listing)]
    places = [("everywhere", OpsApp.BINDINGS), ("every table", LiveTable.BINDINGS)]
    places.append((", ".join(listings), Listing.BINDINGS))
    places += [(tab.title, list(_declared(tab.pane()))) for tab in TABS]
    places.append(("a row of the Timeline", Entries.BINDINGS))
    table = keys_table(places)
    return _PLACE.sub(lambda found: f"{found[1]}{table}\n{found[2]}", README.read_text())


def _declared(pane: type[Pane]) -> Iterator[BindingType]:
    """Yield a pane's bindings and those of the classes of ours it is made of, but for what several panes share."""
    for kind in pane.__mro__:
        if issubclass(kind, Pane) and kind is not Listing:
            yield from vars(kind).get("BINDINGS", ())


if __name__ == "__main__":
    README.write_text(readme_with_keys())
