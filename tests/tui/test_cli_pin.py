"""`opstui profile pin` on the sandbox's real servers: what it shows, asks and writes."""

import re
import stat
from pathlib import Path

import pytest

from profiles.loader import load
from tests.e2e.terminal import Terminal
from tests.e2e.terminal import opstui as command_line
from tests.tui.test_cli import opstui, own_profile
from tui.sandbox.blocking import BlockingSandbox

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

PROFILE = """\
# Our production; ask anna before changing it.
name:   shop-prod
environment: staging
kubernetes: {{kubeconfig: "{kubeconfig}"}}   # a simulated one
databases:
    shop:   "{postgres}"
redis: {{"cache": "{redis}"}}

# the end
"""


@pytest.fixture
def text(sandbox: BlockingSandbox) -> str:
    return PROFILE.format(**sandbox.endpoints)


def test_what_answers_is_shown_and_written_and_everything_else_stays(tmp_path: Path, text: str) -> None:
    path = own_profile(tmp_path, "shop-prod", text)
    path.chmod(0o640)
    shown = opstui(tmp_path, "profile", "pin", "shop-prod", "--yes")
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"^PostgreSQL shop +system identifier +- +\d{18,20}$", shown.stdout, re.MULTILINE)
    assert re.search(r"^Redis cache +role +- +master$", shown.stdout, re.MULTILINE)
    assert f"written: {path}" in shown.stdout
    assert path.read_text().startswith(text)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    pinned = load(str(path)).profile.identity
    assert pinned.postgres["shop"].role == "primary"
    assert pinned.postgres["shop"].address is None, "it is a unix socket"
    assert pinned.kubernetes is not None
    assert pinned.kubernetes.namespace_uid is not None
    again = opstui(tmp_path, "profile", "pin", "shop-prod", "--yes")
    assert (again.returncode, "there is nothing to write" in again.stdout) == (0, True)


def test_where_nobody_can_be_asked_the_section_is_there_to_be_pasted(tmp_path: Path, text: str) -> None:
    path = own_profile(tmp_path, "shop-prod", text)
    shown = opstui(tmp_path, "--profile", "shop-prod", "profile", "pin")
    assert shown.returncode == 0
    assert "nobody can be asked here; --yes writes it" in shown.stderr
    assert path.read_text() == text
    path.write_text(text + shown.stdout[shown.stdout.index("identity:") :])
    assert opstui(tmp_path, "profile", "pin", "--profile", "shop-prod").stdout.endswith("there is nothing to write\n")


@pytest.mark.parametrize(("answer", "is_written"), [("y", True), ("", False), ("n", False)])
def test_on_a_terminal_a_person_is_asked_and_no_is_the_answer_of_who_says_nothing(
    tmp_path: Path, text: str, answer: str, is_written: bool
) -> None:
    path = own_profile(tmp_path, "shop-prod", text)
    with Terminal(command_line("profile", "pin", "shop-prod"), env={"HOME": str(tmp_path)}, size=(120, 30)) as terminal:
        terminal.wait(r"Is this really shop-prod\?(.|\n)*\[y/N\]")
        terminal.send(f"{answer}\r")
        assert terminal.wait_end() == (0 if is_written else 1)
    assert ("identity:" in path.read_text()) is is_written


def test_another_server_is_marked_and_a_choice_of_facts_is_kept(tmp_path: Path, text: str) -> None:
    pins = "identity:\n  postgres: {shop: {system_identifier: 7412345678901234567}}\n  redis: {cache: {role: master}}\n"
    path = own_profile(tmp_path, "shop-prod", text + pins)
    shown = opstui(tmp_path, "profile", "pin", "shop-prod", "--yes")
    assert re.search(r"^Redis cache +role +master +same$", shown.stdout, re.MULTILINE)
    assert re.search(r"system identifier +7412345678901234567 +DIFFERS: \d+$", shown.stdout, re.MULTILINE)
    database = load(str(path)).profile.identity.postgres["shop"]
    assert database.system_identifier not in (None, 7412345678901234567)
    assert (database.role, database.database) == (None, None), "somebody chose not to pin them"


def test_a_system_that_does_not_answer_keeps_its_pins_and_the_others_get_theirs(tmp_path: Path, text: str) -> None:
    silent = re.sub(r'"cache": "[^"]*"', '"cache": "unix:///nonexistent/redis.sock"', text)
    path = own_profile(tmp_path, "shop-prod", f"{silent}identity: {{redis: {{cache: {{role: replica}}}}}}\n")
    shown = opstui(tmp_path, "profile", "pin", "shop-prod", "--yes")
    assert shown.returncode == 1
    assert "NO ANSWER: nothing listens at /nonexistent/redis.sock" in shown.stdout
    assert "Redis cache did not answer: its pins stay as they were" in shown.stdout
    pinned = load(str(path)).profile.identity
    assert pinned.redis["cache"].role == "replica"
    assert pinned.postgres["shop"].system_identifier is not None


def test_a_file_that_may_not_be_written_is_left_alone_with_the_section_and_the_remedy(
    tmp_path: Path, text: str
) -> None:
    path = own_profile(tmp_path, "shop-prod", text)
    path.chmod(0o400)
    shown = opstui(tmp_path, "profile", "pin", "shop-prod", "--yes")
    assert shown.returncode == 1
    assert "identity:\n  kubernetes:" in shown.stdout
    assert f"read-only; chmod u+w {path}" in shown.stderr
    assert path.read_text() == text


def test_inherited_pins_that_do_not_fit_are_not_hidden_and_the_file_is_as_it_was(tmp_path: Path, text: str) -> None:
    own_profile(tmp_path, "base", f"{text}identity: {{postgres: {{shop: {{port: 5432}}}}}}\n")
    path = own_profile(tmp_path, "shop-prod", "extends: base\nname: shop-prod\n")
    shown = opstui(tmp_path, "profile", "pin", "shop-prod", "--yes")
    assert shown.returncode == 1
    assert "the old content is back" in shown.stderr
    assert "it inherits pins from another profile" in shown.stderr
    assert path.read_text() == "extends: base\nname: shop-prod\n"


def test_what_has_nothing_to_pin_says_so(tmp_path: Path) -> None:
    own_profile(tmp_path, "web", "services: {site: 'https://example.com/'}\n")
    shown = opstui(tmp_path, "profile", "pin", "web")
    assert (shown.returncode, "there is nothing to pin" in shown.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demo"], "the sandbox makes its systems anew at each start"),
        (["dmeo"], "did you mean demo?"),
        ([], "which profile?"),
        (["demo", "--profile", "local"], "Name one only"),
    ],
)
def test_what_cannot_be_pinned_ends_with_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    shown = opstui(tmp_path, "profile", "pin", *arguments)
    assert (shown.returncode, words in shown.stderr) == (2, True), shown.stderr
