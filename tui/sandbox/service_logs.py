"""The services' log files: JSON lines and plain text, rotated by rename as logrotate does."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

ROTATE_BYTES = 1_000_000
"""About a quarter of an hour of the calm load."""
KEPT_FILES = 2

_PYTHON_TRACE = """\
Traceback (most recent call last):
  File "/srv/shop/orders/checkout.py", line 212, in place_order
    reservation = await inventory.reserve(cart, warehouse)
  File "/srv/shop/orders/inventory.py", line 88, in reserve
    raise OutOfStock(item.sku, wanted=item.quantity)
orders.inventory.OutOfStock: SKU-00412: 3 wanted, 1 left"""
_JAVA_TRACE = """\
java.net.SocketTimeoutException: Read timed out
\tat shop.payments.ProviderClient.capture(ProviderClient.java:147)
\tat shop.payments.CaptureJob.run(CaptureJob.java:61)
\tat java.base/java.lang.Thread.run(Thread.java:1583)
Caused by: java.io.IOException: connection reset by provider
\t... 3 more"""
TRACES: Mapping[str, str] = {"api": _PYTHON_TRACE, "orders": _PYTHON_TRACE, "payments": _JAVA_TRACE}
"""A stack trace in the language of each service that logs JSON."""


class LogFile:
    """One growing file; when it is full it becomes `NAME.1` and a new one is begun."""

    def __init__(self, path: Path, rotate_bytes: int = ROTATE_BYTES) -> None:
        self.path = path
        self._rotate_bytes = rotate_bytes
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 -- open for the sandbox's life

    def write(self, text: str) -> None:
        """Append `text` as one or more lines and flush; a follower sees whole lines only."""
        self._file.write(text + "\n")
        self._file.flush()
        if self._file.tell() > self._rotate_bytes:
            self.rotate()

    def rotate(self) -> None:
        """Rename NAME to NAME.1, NAME.1 to NAME.2 and begin NAME anew."""
        self._file.close()
        for number in range(KEPT_FILES - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115 -- as above

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class ServiceLogs:
    """The folder of log files: api, orders and payments in JSON, gateway and search in plain text."""

    NAMES = ("api", "orders", "payments", "gateway", "search")

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        self._files = {name: LogFile(folder / f"{name}.log") for name in self.NAMES}

    def event(self, service: str, level: str, message: str, fields: Mapping[str, object], trace: str = "") -> None:
        """Write one event of `api`, `orders` or `payments`; `trace` follows as raw lines."""
        entry = {"ts": _iso(), "level": level, "service": service, "msg": message, **fields}
        line = json.dumps(entry, separators=(",", ":"))
        self._files[service].write(f"{line}\n{trace}" if trace else line)

    def access(self, method: str, path: str, status: int, size: int, latency_ms: float, trace_id: str) -> None:
        """Write one line of `gateway.log` in the combined access format, with latency and trace id."""
        client = f"10.4.{random.randrange(4)}.{random.randrange(2, 250)}"
        when = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        self._files["gateway"].write(
            f'{client} - - [{when}] "{method} {path} HTTP/1.1" {status} {size} "-" "shop-web/4.2" '
            f"rt={latency_ms / 1000:.3f} trace={trace_id}"
        )

    def text(self, level: str, message: str) -> None:
        """Write one line of `search.log`: time, level word, thread, message."""
        when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]
        self._files["search"].write(f"{when} {level:<5} [searcher-{random.randrange(1, 5)}] {message}")

    def raw(self, name: str, line: str) -> None:
        """Write `line` as it is to one file."""
        self._files[name].write(line)

    def rotate(self) -> None:
        """Rotate every file now."""
        for file in self._files.values():
            file.rotate()

    def close(self) -> None:
        """Close every file."""
        for file in self._files.values():
            file.close()


def _iso() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
