"""`--share`: what others see on the screen, and what never goes there. All of the stream counts."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import asyncpg
import pytest

from tests.e2e.conftest import Open
from tui.sandbox.blocking import BlockingSandbox

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

BUSY_MACHINE_S = 40.0
LITERAL = "alice-0815"
"""A customer's number in a statement."""


@contextlib.contextmanager
def running(sandbox: BlockingSandbox, statement: str) -> Iterator[None]:
    """Run a statement in a session of its own, from another thread's event loop, until the block ends."""
    is_over = threading.Event()

    async def run() -> None:
        dsn = sandbox.endpoints["postgres"].replace("//opstui@", "//app@")
        connection = await asyncpg.connect(dsn, server_settings={"application_name": "till"})
        task = asyncio.create_task(connection.execute(statement))
        await asyncio.to_thread(is_over.wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


STATEMENT = "SELECT pg_sleep(600) FROM customers WHERE email = 'alice-0815' OR id = 1"


@pytest.mark.parametrize("is_shared", [True, False], ids=["shared", "alone"])
def test_a_literal_of_a_statement_is_on_the_screen_of_one_and_never_on_that_of_several(
    open_opstui: Open, sandbox: BlockingSandbox, is_shared: bool
) -> None:
    with running(sandbox, STATEMENT):
        screen = open_opstui(*(["--share"] if is_shared else []), size=(200, 45))
        screen.wait("1 Services")
        screen.press("3")
        screen.wait("accepting", BUSY_MACHINE_S)
        screen.wait(r"till .*SELECT pg_sleep\(", BUSY_MACHINE_S)
        screen.press("/", "till", "enter")
        screen.wait(r"(?m)^ ?> .*till")
        screen.press("enter")
        screen.wait("Statement that runs:")
        screen.press("esc")
        assert (LITERAL.encode() in screen.raw) is not is_shared


def test_it_starts_unarmed_shows_the_last_key_and_says_who_armed(open_opstui: Open) -> None:
    screen = open_opstui("--share", size=(150, 45))
    screen.wait(r"\A.*SHARED.*READ-ONLY", BUSY_MACHINE_S)
    screen.press("3")
    screen.wait(r"\A.*SHARED.* 3 ")
    screen.wait("accepting", BUSY_MACHINE_S)
    screen.press("W")
    screen.wait(r"\A.*ARMED.*by \w+")
    screen.press("W")
    screen.wait(r"\A.*READ-ONLY")
