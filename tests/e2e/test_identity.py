"""Another system behind the profile's names: a red line on every tab, and keys that say why they cannot act."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from tests.e2e.terminal import Terminal, opstui
from tui.sandbox.blocking import BlockingSandbox

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("live")]

BUSY_MACHINE_S = 40.0
ALL_ANSWER = r"6✓|✓ svc k8s pg redis logs host"
BANNER = r"^ This is not what profile staging-e2e expects: no change is possible"


def pinned(staging: Path, **identity: Any) -> Path:
    """Give the staging profile pins."""
    profile = json.loads(staging.read_text())
    staging.write_text(json.dumps({**profile, "identity": identity}))
    return staging


def journal(folder: Path) -> list[dict[str, Any]]:
    """Return what was put on record about identity."""
    (file,) = folder.rglob("staging-e2e.jsonl")
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    return [entry for entry in entries if entry["what"] == "identity"]


@pytest.fixture
def cache(sandbox: BlockingSandbox) -> Iterator["redis.Redis"]:
    """The sandbox's Redis, a master again at the end."""
    client = redis.Redis.from_url(sandbox.endpoints["redis"])
    yield client
    client.replicaof("NO", "ONE")
    client.close()


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
def test_another_server_than_the_pinned_one_is_told_on_every_tab_and_by_every_key_that_acts(
    staging: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    pinned(staging, postgres={"shop": {"system_identifier": 7312345678901234567}})
    command = opstui("--profile", str(staging))
    with Terminal(command, size=size, env={"XDG_STATE_HOME": str(tmp_path / "state")}) as screen:
        screen.wait(BANNER, BUSY_MACHINE_S)
        for tab in "1234567":
            screen.press(tab)
            screen.wait(lambda text: re.search(BANNER, text, re.MULTILINE) is not None and "? Keys" in text)
            assert "system identifier 7312345678901234567 expected" in screen.text()
        screen.press("2")
        screen.wait("NAMESPACE", BUSY_MACHINE_S)
        screen.press("/", "api", "enter")
        screen.wait(r"^> .*api.*Running", BUSY_MACHINE_S)
        screen.press("D")
        screen.wait(r"this is not what profile staging-e2e expects:\s+PostgreSQL shop: system", BUSY_MACHINE_S)
        screen.press("a")
        page = screen.wait("MISMATCH PostgreSQL shop: system identifier 7312345678901234567")
        assert re.search(r"\d{19} answers", page)
        screen.press("q")
        screen.wait(lambda text: "MISMATCH" not in text)
        screen.press("7")
        screen.wait(r"!! pg( shop)? +identity +not as pinned: PostgreSQL shop", BUSY_MACHINE_S)
    (entry,) = journal(tmp_path / "state")
    assert (entry["source"], entry["is_mismatch"]) == ("database:shop", True)


def test_a_fail_over_while_the_screen_is_open_is_told_and_over_when_it_is_taken_back(
    staging: Path, tmp_path: Path, cache: "redis.Redis"
) -> None:
    pinned(staging, redis={"cache": {"role": "master"}})
    command = opstui("--profile", str(staging), "--refresh", "0.5")
    with Terminal(command, env={"XDG_STATE_HOME": str(tmp_path / "state")}) as screen:
        screen.wait(ALL_ANSWER, BUSY_MACHINE_S)
        assert "This is not what" not in screen.text()
        cache.replicaof("127.0.0.1", "1")
        screen.wait(rf"{BANNER} \(a\)\s+Redis cache: role master expected, replica answers", BUSY_MACHINE_S)
        cache.replicaof("NO", "ONE")
        screen.wait(lambda text: "This is not what" not in text, BUSY_MACHINE_S)
        screen.press("7")
        screen.wait(r"   redis( cache)? +identity +Redis cache: role master answers again", BUSY_MACHINE_S)
    assert [entry["is_mismatch"] for entry in journal(tmp_path / "state")] == [True, False]


@pytest.fixture
def unreadable(sandbox: BlockingSandbox) -> Iterator[None]:
    """Take the right to read the system identifier from everybody, until the test ends."""

    async def do(sql: str) -> None:
        connection = await asyncpg.connect(sandbox.endpoints["postgres_admin"])
        await connection.execute(sql)
        await connection.close()

    asyncio.run(do("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC"))
    yield
    asyncio.run(do("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC"))


@pytest.mark.usefixtures("unreadable")
def test_what_cannot_be_verified_bars_changes_of_that_system_and_says_what_would_help(
    staging: Path, tmp_path: Path
) -> None:
    pinned(staging, postgres={"shop": {"system_identifier": 7312345678901234567}})
    command = opstui("--profile", str(staging))
    with Terminal(command, size=(120, 36), env={"XDG_STATE_HOME": str(tmp_path / "state")}) as screen:
        screen.wait(ALL_ANSWER, BUSY_MACHINE_S)
        assert "This is not what" not in screen.text()
        screen.press("a")
        screen.wait(r"UNSURE +PostgreSQL shop: system identifier", BUSY_MACHINE_S)
        screen.press("q")
        screen.wait(lambda text: "UNSURE" not in text)
        screen.press("3")
        screen.wait("accepting", BUSY_MACHINE_S)
        screen.press("i")
        screen.wait(r"^> +\d+ ", BUSY_MACHINE_S)
        screen.press("T")
        screen.wait(r"GRANT EXECUTE ON FUNCTION\s+pg_control_system\(\) TO opstui", BUSY_MACHINE_S)
