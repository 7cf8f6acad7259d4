"""The keys of the Redis tab that change databases and keys: what each asks for, where the cursor is."""

import dataclasses

from textual.widgets import Input

from tests.tui.panes.test_redis import PaneApp, reading, shown, snapshot
from tests.tui.panes.test_redis_space_rows import sampling
from tui.sources.redis_facts import Keyspace
from tui.sources.redis_snapshot import RedisSnapshot


def walked() -> RedisSnapshot:
    databases = (Keyspace("db0", 300, 0, None), Keyspace("db7", 5, 0, None))
    return dataclasses.replace(snapshot(), sampling=sampling(), keyspace=databases)


async def test_capital_d_on_a_big_key_asks_for_that_key_by_its_bytes() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading(snapshot=walked()))
        app.pane.open_at("big", "", "")
        await pilot.press("D")
        (request,) = app.requests
        assert (request.verb, request.target.kind) == ("unlink-keys", "key")
        assert bytes.fromhex(str(request.target.identity["key"])) == walked().sampling.space.big[0].key  # type: ignore[union-attr]


async def test_capital_d_on_a_prefix_offers_its_pattern_and_takes_another() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading(snapshot=walked()))
        app.pane.open_at("space", "user", "")
        await pilot.press("D")
        await pilot.pause()
        field = app.screen.query_one(Input)
        assert field.value == "user:*"
        field.value = "*"
        await pilot.press("enter")
        assert not app.requests, "a pattern for everything is refused in the dialog already"
        field.value = "user:1*"
        await pilot.press("enter")
        await pilot.pause()
        (request,) = app.requests
        assert (request.target.kind, request.target.name, request.target.identity["db"]) == ("keys", "user:1*", 0)


async def test_capital_f_asks_for_the_database_under_the_cursor() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading(snapshot=walked()))
        app.pane.open_at("keyspace", "", "")
        await pilot.press("G", "F")
        (request,) = app.requests
        assert (request.verb, request.target.name) == ("flush-database", "cache/db7")


async def test_capital_b_and_m_ask_for_the_server() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading(snapshot=walked()))
        await pilot.press("B", "M")
        assert [request.verb for request in app.requests] == ["save-snapshot", "purge-memory"]
        assert {request.target.identity["run_id"] for request in app.requests} == {"a"}
