"""The README says what the program does."""

import re
from pathlib import Path

from screenshots.tables import ACTIONS, README, actions_page, readme_with_keys


def test_the_table_of_keys_is_the_bindings_own() -> None:
    assert README.read_text() == readme_with_keys(), "run: make tables"


def test_the_page_of_actions_is_what_the_verbs_say_of_themselves() -> None:
    assert ACTIONS.read_text() == actions_page(), "run: make tables"


def test_every_picture_is_there() -> None:
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README.read_text())
    assert len(pictures) >= 6
    assert [picture for picture in pictures if not (README.parent / picture).is_file()] == []


def test_every_local_link_leads_somewhere() -> None:
    links = re.findall(r"\[[^]]+\]\((?!http)([^)#]+)\)", README.read_text())
    assert [link for link in links if not (README.parent / Path(link)).exists()] == []
