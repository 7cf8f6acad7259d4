"""Two trees of sessions that wait for row locks.

The root of the first is a batch import that is idle in transaction: cancelling does nothing, terminating
helps. The root of the second is a running query: cancelling it is enough.
"""

import asyncio

from tui.sandbox.connections import LOST, Connection
from tui.sandbox.scenarios.sessions import Sessions
from tui.sandbox.scenarios.stage import Stage

IDLE_ROOT, ACTIVE_ROOT = "batch-import", "reprice-job"
WAITERS = (7, 4)
"""Sessions that wait below the first and the second root."""

_PRICE = "UPDATE products SET updated_at = now() WHERE id = {}"
_VISIT = "UPDATE customers SET visits = visits + 1 WHERE id = {}"
_ORDER = "UPDATE orders SET status = 'paid' WHERE id = {}"
_REPRICE = """\
WITH touched AS (
    UPDATE products SET price_cents = price_cents WHERE id BETWEEN 11 AND 20 RETURNING id
)
SELECT count(*), pg_sleep(86400) FROM touched"""


async def run(stage: Stage) -> None:
    """Build both trees; over when nobody waits any more."""
    async with Sessions(stage.base) as sessions:
        root = await sessions.begin(IDLE_ROOT, "UPDATE products SET updated_at = now() WHERE id BETWEEN 1 AND 10")
        first = await _idle_tree(sessions)
        reprice = await sessions.begin(ACTIVE_ROOT)
        active = asyncio.create_task(_reprice(reprice))
        try:
            await _holds_its_locks(await sessions.open("lock-check"))
            second = await _active_tree(sessions)
            await asyncio.gather(*first, *second)
        finally:
            active.cancel()
            await asyncio.gather(active, return_exceptions=True)
            root.terminate()


async def _idle_tree(sessions: Sessions) -> list[asyncio.Task[None]]:
    """Three writers wait for the root, three for one or another of these, one for one of the latter."""
    api = [
        await sessions.begin("orders-api", _VISIT.format(1), _VISIT.format(2)),
        await sessions.begin("orders-api", _VISIT.format(3)),
        await sessions.begin("orders-api"),
    ]
    checkout = [await sessions.begin("checkout", _ORDER.format(1)), *[await sessions.begin("checkout") for _ in "ab"]]
    payments = await sessions.begin("payments")
    waits = [sessions.run(session, _PRICE.format(row)) for row, session in enumerate(api, 1)]
    waits += [sessions.run(session, _VISIT.format(row)) for row, session in enumerate(checkout, 1)]
    return [*waits, sessions.run(payments, _ORDER.format(1))]


async def _active_tree(sessions: Sessions) -> list[asyncio.Task[None]]:
    """Two writers wait for the root, two for the first of these."""
    catalog = [
        await sessions.begin("catalog", _VISIT.format(11), _VISIT.format(12)),
        await sessions.begin("catalog"),
    ]
    checkout = [await sessions.begin("checkout") for _ in "ab"]
    waits = [sessions.run(session, _PRICE.format(row)) for row, session in enumerate(catalog, 11)]
    return waits + [sessions.run(session, _VISIT.format(row)) for row, session in enumerate(checkout, 11)]


async def _reprice(connection: Connection) -> None:
    """The active root; when its query is cancelled it gives up its transaction and goes."""
    try:
        await connection.execute(_REPRICE)
    except LOST:
        connection.terminate()


async def _holds_its_locks(connection: Connection) -> None:
    """Wait until the active root has locked its rows, so that the others wait for it and not the reverse."""
    free = "SELECT id FROM products WHERE id = 20 FOR UPDATE SKIP LOCKED"
    while await connection.fetchval(free) is not None:  # noqa: ASYNC110 -- the server sends no event for it
        await asyncio.sleep(0.02)
    await connection.close()
