"""The services' log files."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.sandbox.service_logs import TRACES, LogFile, ServiceLogs


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[ServiceLogs]:
    made = ServiceLogs(tmp_path / "logs")
    yield made
    made.close()


def test_a_full_file_is_renamed_and_begun_anew(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "api.log", rotate_bytes=10)
    for line in ("first line", "second line", "third line", "4"):
        log.write(line)
    log.close()
    assert (tmp_path / "api.log").read_text() == "4\n"
    assert (tmp_path / "api.log.1").read_text() == "third line\n"
    assert (tmp_path / "api.log.2").read_text() == "second line\n"
    assert not (tmp_path / "api.log.3").exists()


def test_json_lines_have_the_usual_fields_and_traces_follow_as_text(logs: ServiceLogs) -> None:
    logs.event("orders", "ERROR", "failed", {"latency_ms": 3.1, "trace_id": "ab"}, TRACES["orders"])
    first, second, *_ = (logs.folder / "orders.log").read_text().splitlines()
    entry = json.loads(first)
    assert {"ts", "level", "service", "msg", "latency_ms", "trace_id"} == set(entry)
    assert second == "Traceback (most recent call last):"


def test_text_lines_name_their_level(logs: ServiceLogs) -> None:
    logs.text("WARN", "slow query")
    assert " WARN  [searcher-" in (logs.folder / "search.log").read_text()


def test_rotation_on_demand_renames_every_file(logs: ServiceLogs) -> None:
    logs.rotate()
    assert sorted(path.name for path in logs.folder.glob("*.log.1")) == [
        f"{name}.log.1" for name in sorted(ServiceLogs.NAMES)
    ]
