"""The pager: which one, what it is given, and how its end is told."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from textual.app import App

from profiles.schema import Profile
from tui.panes import pager as paging
from tui.panes.pager import PagerError, pager, show


def profile(**verbs: list[str]) -> Profile:
    return Profile.model_validate({"name": "x", "guards": {"verbs": verbs}})


def test_it_is_what_the_person_chose_with_its_arguments() -> None:
    assert pager(profile(), {"PAGER": "less -R '+/a b'"}) == ["less", "-R", "+/a b"]
    assert pager(profile(), {"PAGER": "/opt/bin/most"}) == ["/opt/bin/most"]


def test_without_a_choice_it_is_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/more" if name == "more" else None)
    assert pager(profile(), {}) == ["more"]
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(PagerError, match=r"no pager: set \$PAGER"):
        pager(profile(), {"PAGER": " "})


def test_an_unfinished_quote_is_said() -> None:
    with pytest.raises(PagerError, match="cannot be read"):
        pager(profile(), {"PAGER": "less '"})


@pytest.mark.parametrize("verbs", [{"deny": ["shell"]}, {"allow": ["restart"]}])
def test_where_the_profile_denies_a_shell_only_those_without_one_are_started(verbs: dict[str, list[str]]) -> None:
    assert pager(profile(**verbs), {"PAGER": "/usr/bin/less -S"}) == ["/usr/bin/less", "-S"]
    with pytest.raises(PagerError, match="vim could open a shell, which this profile denies"):
        pager(profile(**verbs), {"PAGER": "vim -"})


async def paged(*command: str, text: list[str] | None = None) -> None:
    reader, writer = os.pipe()  # no terminal: nobody's keys are taken away
    try:
        await paging._paged(command, text or ["one\n", "zwei ü\n"], reader)
    finally:
        os.close(reader)
        os.close(writer)


async def test_it_reads_the_lines_and_has_no_shell_nor_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESSOPEN", "|evil %s")
    script = f'cat > {tmp_path}/out; echo "$LESSSECURE$LESSOPEN" >> {tmp_path}/out'
    await paged("sh", "-c", script)
    assert (tmp_path / "out").read_text() == "one\nzwei ü\n1\n"


async def test_one_that_has_seen_enough_ends_at_once() -> None:
    await paged("head", "-n1", text=["x" * 1000 + "\n"] * 100_000)


async def test_one_that_stops_itself_goes_on(tmp_path: Path) -> None:
    await paged("sh", "-c", f"kill -STOP $$; cat > {tmp_path}/out")
    assert (tmp_path / "out").read_text() == "one\nzwei ü\n"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["sh", "-c", "exit 3"], "sh ended with status 3"),
        (["sh", "-c", "kill -KILL $$"], "sh was ended by SIGKILL"),
        (["/no/such/pager"], "/no/such/pager: No such file or directory"),
        ([sys.prefix], "Permission denied"),
    ],
)
async def test_one_that_fails_is_said(command: list[str], words: str) -> None:
    with pytest.raises(PagerError, match=words):
        await paged(*command)


async def test_without_a_terminal_there_is_none_to_lend() -> None:
    async with App[None]().run_test() as pilot:
        with pytest.raises(PagerError, match="no terminal to lend"):
            await show(pilot.app, ["true"], ["x"])
