"""Reports that would run for hours, for want of a join condition; the services that share the database get slow.

Cancelling or terminating the runaway sessions ends it: the job does not start them again.
"""

import asyncio
import contextlib

from tui.sandbox.connections import LOST, Connection
from tui.sandbox.scenarios.sessions import Sessions
from tui.sandbox.scenarios.stage import Stage

REPORT = "sales-report"
"""Application name of the report's sessions."""
RUNAWAYS = 2
_ROLE = "reporting"
_SLOWER = {"orders": 14.0, "api": 14.0}
_PAGE_EVERY_S = 0.6

_RUNAWAY = """\
SELECT c.country, sum(i.quantity * i.price_cents * exchange_rate(c.country, o.placed_at)) AS cents
  FROM customers c, orders o, order_items i
 WHERE o.placed_at > now() - interval '1 year' AND o.status <> 'returned'
 GROUP BY c.country ORDER BY cents DESC"""
"""A hundred billion rows, for nothing joins the three tables, and a function that waits for each of them."""
_PAGE = """\
SELECT o.id, o.total_cents, (SELECT count(*) FROM payments p WHERE p.order_id = o.id) AS payments
  FROM orders o WHERE o.placed_at > now() - interval '20 hours' ORDER BY o.placed_at DESC"""
"""A few hundred milliseconds: payments.order_id has no index."""


async def run(stage: Stage) -> None:
    """Run the reports; over when no runaway is left."""
    async with Sessions(stage.base) as sessions:
        runaways = [sessions.run(await sessions.open(REPORT, _ROLE), _RUNAWAY) for _ in range(RUNAWAYS)]
        pages = asyncio.create_task(_pages(await sessions.open(REPORT, _ROLE)))
        for name, times in _SLOWER.items():
            stage.services[name].slower_by = times
        try:
            await asyncio.gather(*runaways)
        finally:
            pages.cancel()
            await asyncio.gather(pages, return_exceptions=True)
            for name in _SLOWER:
                stage.services[name].calm()


async def _pages(connection: Connection) -> None:
    """Show one page of the report after the other, until somebody ends it."""
    with contextlib.suppress(*LOST):
        while True:
            await connection.fetch(_PAGE)
            await asyncio.sleep(_PAGE_EVERY_S)
