"""Deleting keys of a real Valkey: exactly those that were listed, and what is known when the line breaks."""

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.systems import RedisInstance
from tests.redis_servers import VERSIONS, Server, server
from tests.tui.actions.lossy import Lossy
from tests.tui.actions.redis.servers import admin, source, valkey
from tui.actions.action import Action, GoneError, NotSentError, Phase, Risk, Sight
from tui.actions.redis import keys
from tui.actions.redis.keys import pattern_of, pattern_problem
from tui.actions.redis.unlink import UnlinkKeys, unlink_request
from tui.sources.errors import SourceError
from tui.sources.redis import RedisSource

__all__ = ["admin", "source", "valkey"]
pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


def fill(admin: Any, count: int = 250) -> None:
    pipe = admin.pipeline(transaction=False)
    for number in range(count):
        pipe.set(f"session:{number}", "x" * 100)
        pipe.set(f"user:{number}", "y")
    pipe.rpush("jobs", 1)
    pipe.execute()


async def planned(verb: UnlinkKeys, source: RedisSource, pattern: str, key: bytes | None = None, db: int = 0) -> Action:
    return await verb.plan(unlink_request("redis:cache", await source.read(), db, pattern, key))


async def test_what_was_listed_goes_and_what_came_since_stays(source: RedisSource, admin: Any) -> None:
    fill(admin)
    verb = UnlinkKeys(source)
    action = await planned(verb, source, "session:*")
    assert (action.risk, action.before, action.permission) == (Risk.HIGH, "250 keys of 501 in db0", "")
    assert action.preview[0] == "session:0"
    assert action.preview[-1] == "… and 210 more"
    assert any("are freed" in line for line in action.impact)
    assert admin.dbsize() == 501, "a plan deletes nothing"
    admin.set("session:new", "x")
    receipt = await verb.execute(action)
    assert receipt.answer == "250 keys unlinked"
    assert sorted(admin.keys("session:*")) == [b"session:new"]
    assert admin.dbsize() == 252
    look = await verb.look(action.sent(time.time()).learned(receipt))
    assert (look.phase, look.detail) == (Phase.CONVERGED, "none of the 250 keys is left")


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_version_deletes_one_key_of_any_name_in_its_database(version: str) -> None:
    name = b"\x1b[31m\xff odd:1"
    with server(version) as found:
        found.admin(db=4).hset(name, mapping={str(number): "x" for number in range(500)})
        found.admin(db=4).set("stays", 1)
        found.admin().set(name, "in another database")
        source = RedisSource("cache", RedisInstance(url=found.url))
        verb = UnlinkKeys(source)
        action = await planned(verb, source, "", name, db=4)
        assert "\x1b" not in f"{action.request.target} {action.command} {action.preview}"
        receipt = await verb.execute(action)
        assert (await verb.look(action.sent(time.time()).learned(receipt))).phase is Phase.CONVERGED
        assert found.admin(db=4).keys() == [b"stays"]
        assert found.admin().exists(name) == 1
        await source.close()


async def test_what_is_gone_or_matches_nothing_is_not_sent(source: RedisSource, admin: Any) -> None:
    verb = UnlinkKeys(source)
    with pytest.raises(GoneError, match="no key matches"):
        await planned(verb, source, "nothing:*")
    with pytest.raises(GoneError, match="is gone"):
        await planned(verb, source, "", b"nobody")


@pytest.mark.parametrize("pattern", ["*", "**", "?*", "[a-z]*"[:1] + "*", "a*", ""])
async def test_a_pattern_for_nearly_everything_is_refused(source: RedisSource, admin: Any, pattern: str) -> None:
    fill(admin, 3)
    with pytest.raises(NotSentError, match="at least two characters"):
        await planned(UnlinkKeys(source), source, pattern)
    assert admin.dbsize() == 7


async def test_a_queue_of_the_profile_among_them_is_named(source: RedisSource, admin: Any) -> None:
    fill(admin, 3)
    action = await planned(UnlinkKeys(source), source, "jo*")
    assert "QUEUE: jobs is one that the profile names" in action.impact


async def test_more_than_go_at_once_are_told(source: RedisSource, admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(admin)
    monkeypatch.setattr(keys, "MOST", 100)
    verb = UnlinkKeys(source)
    action = await planned(verb, source, "session:*")
    assert any(line.startswith("250 keys match; the first 100 are deleted") for line in action.impact)
    await verb.execute(action)
    assert len(admin.keys("session:*")) == 150


async def test_the_dialog_sees_keys_go_and_another_process_is_not_written_to(admin: Any) -> None:
    with server("valkey-9") as found:
        source = RedisSource("cache", RedisInstance(url=found.url))
        verb, own = UnlinkKeys(source), found.admin()
        fill(own, 20)
        action = await planned(verb, source, "session:*")
        assert (await verb.sight(action))[0] is Sight.UNCHANGED
        own.delete("session:1")
        assert await verb.sight(action) == (Sight.UNCHANGED, "19 of the 20 looked at are there")
        own.delete(*own.keys("session:*"))
        assert (await verb.sight(action))[0] is Sight.GONE
        await source.close()
        found.stop()
        found.start()
        fill(found.admin(), 20)
        with pytest.raises(NotSentError, match="another server process answers now"):
            await verb.execute(action)
        assert len(found.admin().keys("session:*")) == 20
        assert (await verb.look(action.sent(time.time()))).phase is Phase.UNKNOWN


async def test_a_user_who_may_not_is_told_before_and_nothing_is_sent(valkey: Server, admin: Any) -> None:
    fill(admin, 3)
    admin.execute_command("ACL", "SETUSER", "looker", "on", ">pw", "~*", "+@read", "+info", "+acl|dryrun", "+select")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOOKER_PW", "pw")
        entry = RedisInstance(url=valkey.url, username="looker", password="env:LOOKER_PW")
        source = RedisSource("cache", entry)
        verb = UnlinkKeys(source)
        action = await planned(verb, source, "session:*")
        assert "not permitted for user looker: +unlink" in action.permission
        with pytest.raises(NotSentError, match="refused, nothing was changed"):
            await verb.execute(action)
        await source.close()
    assert len(admin.keys("session:*")) == 3


async def test_a_replica_is_left_alone() -> None:
    with server("valkey-9") as found:
        source = RedisSource("cache", RedisInstance(url=found.url))
        found.admin().execute_command("REPLICAOF", "127.0.0.1", "1")
        verb = UnlinkKeys(source)
        request = unlink_request("redis:cache", await source.read(), 0, "session:*")
        assert "replica" in verb.forbidden(request)
        with pytest.raises(NotSentError, match="this is a replica"):
            await verb.plan(request)
        await source.close()


@pytest.mark.parametrize("answer_only", [False, True], ids=["request lost", "answer lost"])
async def test_a_line_lost_on_the_way_is_unknown_never_sent_again_and_looking_tells(
    valkey: Server, source: RedisSource, tmp_path: Path, admin: Any, answer_only: bool
) -> None:
    fill(admin, 3)
    lossy = Lossy(str(valkey.socket), b"\r\nUNLINK\r\n", answer_only=answer_only)
    through = RedisSource("cache", RedisInstance(url=f"unix://{tmp_path / 'r.sock'}"))
    async with lossy.at(tmp_path / "r.sock"):
        verb = UnlinkKeys(source)
        action = await planned(verb, source, "session:*")
        verb._source = through  # the plan goes past the proxy: ACL DRYRUN carries the word too
        with pytest.raises(SourceError):
            await verb.execute(action)
        assert lossy.seen == 1
        look = await verb.look(action.sent(time.time()))
        assert look.phase is (Phase.NOT_CONVERGED if answer_only else Phase.ABSENT), look
        assert len(admin.keys("session:*")) == (2 if answer_only else 3)
        await through.close()


@given(st.text(max_size=30))
def test_a_prefix_becomes_a_pattern_of_itself(prefix: str) -> None:
    pattern = pattern_of(prefix)
    assert pattern.endswith("*")
    unescaped, escaped = [], False
    for char in pattern[: -1 if not prefix.endswith("*") else None]:
        if char == "\\" and not escaped:
            escaped = True
            continue
        unescaped.append(char)
        escaped = False
    assert "".join(unescaped) == prefix


def test_what_is_wrong_with_a_pattern_is_said() -> None:
    assert pattern_problem("session:*") == ""
    assert "at least two" in pattern_problem("*a*")
    assert "at most" in pattern_problem("x" * 300)
