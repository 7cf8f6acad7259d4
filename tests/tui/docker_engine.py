"""An engine of containers in memory behind a Unix socket: answers as the Engine API does, of what was recorded."""

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

RECORDED = Path(__file__).parents[1] / "fixtures" / "docker"
NAMES = ("web", "api", "crash", "job", "tty", "hog")


def recorded(name: str) -> Any:
    """Return a document that an engine of 20.10 gave."""
    return json.loads((RECORDED / f"{name}-20.10.json").read_text())


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def frame(stream: int, data: bytes) -> bytes:
    """Return one piece of a log as an engine multiplexes it."""
    return struct.pack(">BxxxL", stream, len(data)) + data


class Engine:
    """Starts with the recorded containers; `status` and `bodies` have it answer otherwise."""

    def __init__(self) -> None:
        self.listed: list[dict[str, Any]] = recorded("containers")
        self.full: dict[str, dict[str, Any]] = {one["Id"]: one for one in (recorded(f"inspect-{n}") for n in NAMES)}
        self.events: list[dict[str, Any]] = [
            json.loads(line) for line in (RECORDED / "events-20.10.jsonl").read_text().splitlines()
        ]
        self.log = (RECORDED / "logs-api-20.10.bin").read_bytes()
        self.asked: list[str] = []
        self.event_queries: list[dict[str, str]] = []
        self.version: dict[str, Any] = recorded("version")
        self.posted: list[str] = []
        self.refusals: dict[str, tuple[int, str]] = {}
        """Part of a path → status and message."""
        self.loses_answers = False
        """Whether a change is made, and the line cut before its answer."""
        self.hangs = asyncio.Event()
        self.hangs.set()
        self.now = 0.0
        self.runs = 0

    def id_of(self, name: str) -> str:
        return next(id_ for id_, one in self.full.items() if one["Name"] == f"/{name}")

    def of(self, name: str) -> dict[str, Any]:
        return self.full[self.id_of(name)]

    def set_state(self, name: str, **state: Any) -> None:
        """Change `State` of a container, and its row of the list with it."""
        one = self.of(name)
        one["State"].update(state)
        listed = next(row for row in self.listed if row["Id"] == one["Id"])
        listed["State"] = one["State"]["Status"]
        health = one["State"].get("Health", {}).get("Status")
        listed["Status"] = f"Up 1 second ({health})" if health else f"Up {self.runs} seconds"

    def remove(self, name: str) -> None:
        id_ = self.id_of(name)
        del self.full[id_]
        self.listed = [row for row in self.listed if row["Id"] != id_]

    @contextlib.asynccontextmanager
    async def at(self, path: Path) -> AsyncIterator["Engine"]:
        server = await asyncio.start_unix_server(self._serve, path)
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, target, _ = head.split(" ", 2)
                await self.hangs.wait()
                answer = self._answer(method, urlsplit(target))
                if answer is None:
                    break
                status, body = answer
                writer.write(self._head(status, body) + body)
                await writer.drain()
        writer.close()

    def _head(self, status: int, body: bytes) -> bytes:
        date = datetime.fromtimestamp(self.now, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT") if self.now else ""
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *([f"Date: {date}"] if date else [])]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _answer(self, method: str, target: Any) -> tuple[int, bytes] | None:
        path, query = unquote(target.path), {key: values[0] for key, values in parse_qs(target.query).items()}
        self.asked.append(path)
        for part, (status, message) in self.refusals.items():
            if part in path:
                return status, json.dumps({"message": message}).encode()
        if path == "/version":
            return 200, json.dumps(self.version).encode()
        parts = path.removeprefix("/v1.41").strip("/").split("/")
        if parts == ["containers", "json"]:
            return 200, json.dumps(self.listed).encode()
        if parts == ["events"]:
            self.event_queries.append(query)
            since, until = float(query["since"]), float(query.get("until", "inf"))
            told = [one for one in self.events if since <= one["time"] <= until]
            return 200, "".join(f"{json.dumps(one)}\n" for one in told).encode()
        if (one := self.full.get(parts[1])) is None:
            return 404, json.dumps({"message": f"No such container: {parts[1]}"}).encode()
        if method == "POST":
            return self._changed(one, parts[2])
        if parts[2] == "stats":
            return 200, json.dumps(recorded("stats-api")).encode()
        return (200, self.log) if parts[2] == "logs" else (200, json.dumps(one).encode())

    def _changed(self, one: dict[str, Any], verb: str) -> tuple[int, bytes] | None:
        self.posted.append(f"{verb} {one['Name'].lstrip('/')}")
        state, name = one["State"], one["Name"].lstrip("/")
        if verb == "start" and state["Running"]:
            return 304, b""
        if verb == "stop" and not state["Running"]:
            return 304, b""
        if verb == "stop":
            self.set_state(name, Status="exited", Running=False, ExitCode=143)
        else:
            self.runs += 1
            started = f"2026-11-26T15:00:{self.runs:02}.000000001Z"
            health = {"Health": {"Status": "healthy", "FailingStreak": 0, "Log": []}} if "Health" in state else {}
            self.set_state(
                name, Status="running", Running=True, Restarting=False, StartedAt=started, ExitCode=0, **health
            )
            one["RestartCount"] = 0
        return None if self.loses_answers else (204, b"")
