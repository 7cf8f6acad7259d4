"""A Prometheus server as Debian packages it, for tests; it scrapes what it is told, every second."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import httpx
import pytest

PROGRAM: Final = shutil.which("prometheus")

needs_prometheus = [
    pytest.mark.live,
    pytest.mark.debian,
    pytest.mark.xdist_group("live"),
    pytest.mark.skipif(PROGRAM is None, reason="needs Debian's package prometheus"),
]


@contextlib.contextmanager
def prometheus(folder: Path, targets: Sequence[str]) -> Iterator[str]:
    """Run a server that scrapes `host:port` targets; yield its URL once it is ready and has scraped each of them."""
    port = _free_port()
    jobs = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    scraped = [{"job_name": "tests", "static_configs": [{"targets": list(targets)}]}]
    (folder / "prometheus.yml").write_text(json.dumps({"global": jobs, "scrape_configs": scraped}))
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [
            str(PROGRAM),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(url, len(targets))
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(url: str, targets: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError, IndexError):
            found = httpx.get(f"{url}/api/v1/query", params={"query": "sum(up)"}, timeout=2).json()
            if float(found["data"]["result"][0]["value"][1]) >= targets:
                return
        time.sleep(0.1)
    raise TimeoutError("Prometheus has not scraped its targets")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
