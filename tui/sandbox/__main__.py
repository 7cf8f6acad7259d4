"""Run a sandbox by itself: `python -m tui.sandbox`."""

import argparse
import asyncio
import json
import os
import signal
import stat
import sys

from tui.sandbox.errors import SandboxError
from tui.sandbox.scenarios import SCENARIOS
from tui.sandbox.stack import Sandbox

_EPILOG = """\
The endpoints are printed when everything is up, one NAME VALUE a line (or one JSON object with --json), on
standard output; progress goes to standard error. Ctrl+C, SIGTERM, SIGHUP or any other end of this program
stops the servers and removes their folder. In the background:

  python -m tui.sandbox --json > /tmp/endpoints.json & PID=$!    # complete when the file is not empty
  kill $PID

Lines typed on standard input change it while it runs:

  scenario NAME [SECONDS]             {scenarios}
  component SERVICE NAME STATUS       for example: component orders db DOWN
  stop SERVER, start SERVER           postgres or redis; start restarts one that runs
  rotate                              rename the log files
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tui.sandbox",
        description="PostgreSQL, Valkey, a simulated Kubernetes cluster, seven services, logs and a light load, on "
        "private sockets and loopback ports, until Ctrl+C.",
        epilog=_EPILOG.format(scenarios=", ".join(SCENARIOS)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scenario", choices=list(SCENARIOS), default="calm")
    parser.add_argument("--json", action="store_true", help="print the endpoints as one line of JSON")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    start = asyncio.create_task(
        Sandbox.start(scenario=arguments.scenario, progress=lambda text: print(text, file=sys.stderr))  # noqa: T201 -- a program
    )
    ended = asyncio.create_task(over.wait())
    await asyncio.wait((start, ended), return_when=asyncio.FIRST_COMPLETED)
    if not start.done():
        start.cancel()
        await asyncio.wait((start,))
        return
    sandbox = start.result()
    try:
        if arguments.json:
            print(json.dumps(dict(sandbox.endpoints)), flush=True)  # noqa: T201 -- a program's output
        else:
            for name, value in sorted(sandbox.endpoints.items()):
                print(f"{name:<20} {value}", flush=True)  # noqa: T201 -- a program's output
        typed = asyncio.create_task(_obey(sandbox))
        lost = asyncio.create_task(sandbox.ended())
        await asyncio.wait((ended, lost), return_when=asyncio.FIRST_COMPLETED)
        typed.cancel()
        lost.cancel()
    finally:
        await sandbox.stop()


async def _obey(sandbox: Sandbox) -> None:
    if not (sys.stdin.isatty() or stat.S_ISFIFO(os.fstat(0).st_mode)):
        return  # nobody types: /dev/null or a file
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            match line.decode(errors="replace").split():
                case ["scenario", name]:
                    await sandbox.scenario(name)
                case ["scenario", name, seconds]:
                    await sandbox.scenario(name, float(seconds))
                case ["component", service, component, status]:
                    await sandbox.set_component(service, component, status)
                case ["stop", server]:
                    await sandbox.stop_server(server)
                case ["start", server]:
                    await sandbox.start_server(server)
                case ["rotate"]:
                    await sandbox.rotate_logs()
                case _:
                    print("scenario, component, stop, start or rotate; see --help", file=sys.stderr)  # noqa: T201 -- a program
        except (SandboxError, ValueError) as error:
            print(error, file=sys.stderr)  # noqa: T201 -- a program's complaint


def main() -> None:
    """Run a sandbox until it is told to end."""
    try:
        asyncio.run(_run(_arguments()))
    except SandboxError as error:
        sys.exit(f"sandbox: {error}")


if __name__ == "__main__":
    main()
