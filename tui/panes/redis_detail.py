"""One row of the Redis tab as a page of text, with the command that shows it by hand. Pure."""

from datetime import UTC, datetime

from tui.sources.redis_facts import Client, CommandStat, SlowEntry
from tui.sources.redis_snapshot import RedisSnapshot
from tui.units import micros, percent, rate, size, span

VIEW_COMMANDS = {
    "commands": (("INFO", "commandstats"), ("INFO", "latencystats")),
    "clients": (("CLIENT", "LIST"),),
    "slowlog": (("SLOWLOG", "GET", "50"),),
    "keyspace": (("INFO", "keyspace"),),
    "state": (("INFO", "everything"), ("LATENCY", "LATEST"), ("MEMORY", "DOCTOR")),
}
"""What redis-cli is asked to see a view by hand."""


def client_page(c: Client) -> str:
    """Return everything CLIENT LIST told of a client."""
    return _page(
        ("id", str(c.id)),
        ("name", c.name or "–"),
        ("address", c.addr),
        ("user", c.user or "–"),
        ("library", c.lib or "–"),
        ("kind", f"{c.kind} (flags {c.flags})"),
        ("last command", c.cmd),
        ("connected for", span(c.age_s)),
        ("idle for", span(c.idle_s)),
        ("database", str(c.db)),
        ("subscriptions", str(c.sub)),
        ("memory", size(c.tot_mem_bytes)),
        ("output waiting", size(c.omem_bytes)),
    ) + ("\n\nThis is opstui's own connection." if c.is_own else "")


def command_page(c: CommandStat) -> str:
    """Return what INFO tells of one command."""
    return _page(
        ("command", c.name),
        ("calls", f"{rate(c.calls_per_s)}/s now, {c.calls:,} since the start"),
        ("per call", f"{micros(c.usec_per_call)} (now, or since the start when it is hardly called)"),
        ("99th percentile", f"{micros(c.p99_us)} since the start"),
        ("main thread", f"{percent(c.busy_percent)} of it now"),
        ("failed", f"{c.failed:,} ended in an error"),
        ("rejected", f"{c.rejected:,} refused before they ran (ACL, arguments, memory)"),
    )


def slow_page(e: SlowEntry) -> str:
    """Return one slow log entry with the whole command the server kept."""
    at = f"{datetime.fromtimestamp(e.at, UTC):%Y-%m-%d %H:%M:%S}Z"
    head = _page(
        ("entry", str(e.id)),
        ("ran at", f"{at} (the server's clock)"),
        ("took", f"{micros(e.took_us)} of the main thread; everybody else waited"),
        ("client", f"{e.client_name or '–'} {e.addr}"),
    )
    return f"{head}\n\n{e.command}"


def state_page(snapshot: RedisSnapshot, what: str, note: str) -> str:
    """Return a line of the state view in full; MEMORY DOCTOR's words in lines."""
    words = snapshot.doctor.replace("↵", "\n") if what == "MEMORY DOCTOR" else note
    return f"{what}\n\n{words}"


def _page(*pairs: tuple[str, str]) -> str:
    return "\n".join(f"{label:<16} {value}" for label, value in pairs)
