"""A client that runs short statements one after the other and tells which were cancelled: DSN MILLISECONDS.

Prints `pid N` and sleeps in statement 0 until that is cancelled; then the short ones begin. For each that is cancelled
it prints the number that stands in the statement's text.
"""

import asyncio
import itertools
import sys
import time

import asyncpg


async def main(dsn: str, milliseconds: float) -> None:
    connection = await asyncpg.connect(dsn)
    rows = await _rows_for(connection, milliseconds)
    print(f"pid {connection.get_server_pid()}", flush=True)  # noqa: T201
    statement = "SELECT pg_sleep(600)"
    for number in itertools.count():
        try:
            # Without parameters: the simple protocol, one round trip, the number in the text that the server shows.
            await connection.execute(f"{statement} /* {number} */")
        except asyncpg.QueryCanceledError:
            print(number, flush=True)  # noqa: T201
        statement = _counting(rows)


async def _rows_for(connection: "asyncpg.Connection[asyncpg.Record]", milliseconds: float) -> int:
    """Return how many rows take about that long here."""
    rows = 100_000
    await connection.execute(_counting(rows))
    started = time.monotonic()
    for _ in range(20):
        await connection.execute(_counting(rows))
    return max(1, int(rows * milliseconds * 20 / (1000 * (time.monotonic() - started))))


def _counting(rows: int) -> str:
    return f"SELECT count(*) FROM generate_series(1, {rows})"  # noqa: S608 -- a number of our own


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
