"""The `/log` subresource of pods: a container's lines, from now or from its last run, followed if asked."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from tui.sandbox.cluster.books import Book, Books
from tui.sandbox.cluster.clock import parse_time
from tui.sandbox.cluster.containers import container_name, container_status
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.loglines import Run
from tui.sandbox.cluster.problems import bad_request, internal
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import PODS, Object
from tui.sandbox.cluster.store import Change, Store


class Logs:
    """Answers log requests; `rates` and `troubles` change what an app says from its next line on."""

    def __init__(self, store: Store, down: Set[str] = frozenset()) -> None:
        self._store = store
        self._down = down
        self.books = Books(store)
        """The logs that are written down instead of computed."""
        self.rates: dict[tuple[str, str], float] = {}
        """Lines per second, by namespace and app label; 0.5 for the others."""
        self.troubles: dict[tuple[str, str], float] = {}
        """The part of lines, 0 to 1, that tells of trouble."""

    async def answer(self, call: Call, fault: Fault | None) -> web.StreamResponse:
        """Send the lines of one container.

        Raises:
            ApiError: 404, no such pod; 400, no such container, or it has not started; 500, its node is away.
        """
        pod = self._store.get(PODS, call.namespace, call.name)
        name = container_name(pod, call.query.get("container", ""))
        if (node := pod["spec"].get("nodeName")) in self._down:
            where = f"{(pod['status'] or {}).get('hostIP', node)}:10250"
            path = f"containerLogs/{call.namespace}/{call.name}/{name}"
            raise internal(f'Get "https://{where}/{path}": dial tcp {where}: connect: no route to host')
        is_previous = call.query.get("previous") == "true"
        run = self._run(pod, name, is_previous=is_previous)
        book = self.books.of(pod, name, is_previous=is_previous)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(call.http)
        with suppress(ConnectionResetError):  # the client left
            if book is not None:
                await self._send_book(call, response, book, fault)
            else:
                await self._send(call, response, run, name, fault)
        return response

    async def _send_book(self, call: Call, response: web.StreamResponse, book: Book, fault: Fault | None) -> None:
        if book.is_collected:
            # A kubelet says so in the place of the lines, and with the status of success.
            await response.write(f"unable to retrieve container logs for containerd://{book.pod}".encode())
            return None
        tail, with_times = call.query.get("tailLines"), call.query.get("timestamps") == "true"
        limit, loop = int(call.query.get("limitBytes") or 0), asyncio.get_running_loop()
        trouble_at = loop.time() + fault.after_s if fault else None
        sent = len(book.lines)
        held = book.held(_since(call, self._store.clock.now()), int(tail) if tail else None)
        lines = [_line(moment, text, with_times) for _, moment, text in held]
        while True:
            has_ended = book.has_ended or call.query.get("follow") != "true" or limit > 0
            grew, body = book.grew, b"".join(lines)
            if fault is not None and trouble_at is not None and loop.time() >= trouble_at:
                return await _misbehave(call, fault, response, body)
            if body:
                await response.write(body[:limit] if limit else body)
            elif has_ended:
                return None
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(trouble_at):
                        await grew.wait()
            lines = [_line(moment, text, with_times) for moment, text in book.lines[sent:]]
            sent += len(lines)

    async def _send(self, call: Call, response: web.StreamResponse, run: Run, name: str, fault: Fault | None) -> None:
        now = self._store.clock.now()
        with_times = call.query.get("timestamps") == "true"
        tail = call.query.get("tailLines")
        limit = int(call.query.get("limitBytes") or 0)
        lines = [_line(m, t, with_times) for m, t in run.lines(now, _since(call, now), int(tail) if tail else None)]
        body = b"".join(lines)
        await response.write(body[:limit] if limit else body)
        if call.query.get("follow") == "true" and run.ended is None and not limit:
            await self._follow(call, response, run, name, now, fault)

    async def _follow(
        self, call: Call, response: web.StreamResponse, run: Run, name: str, sent: datetime, fault: Fault | None
    ) -> None:
        changed = asyncio.Event()
        key = (call.namespace, call.name)

        def on_pod(change: Change) -> None:
            if change.entry.key == key:
                changed.set()

        forget = self._store.listen(PODS, on_pod)
        with_times = call.query.get("timestamps") == "true"
        trouble_at = sent + timedelta(seconds=fault.after_s) if fault else None
        try:
            while True:
                now = self._store.clock.now()
                if trouble_at is not None and now >= trouble_at and fault is not None:
                    return await _misbehave(call, fault, response)
                upto = self._now_running(key, run, name)
                lines = [_line(m, t, with_times) for m, t in upto.lines(now, sent) if m > sent]
                if lines:
                    sent = now
                    await response.write(b"".join(lines))
                if upto.ended is not None:
                    return None
                wake = min(run.next_moment(now), trouble_at or datetime.max.replace(tzinfo=now.tzinfo))
                changed.clear()
                pause_s = max((wake - now).total_seconds(), 0.05)
                if call.http.transport is None or call.http.transport.is_closing():
                    return None
                try:
                    await asyncio.wait_for(changed.wait(), min(pause_s, 30.0))
                except TimeoutError:
                    continue
        finally:
            forget()

    def _now_running(self, key: tuple[str, str], run: Run, name: str) -> Run:
        """Return the run as it is now: ended when the container or the pod is gone."""
        pod = self._store.find(PODS, *key)
        if pod is None:
            return _ended(run, self._store.clock.now())
        entry = container_status(pod, name)
        state = entry.get("state") or {}
        if "running" in state and parse_time(state["running"]["startedAt"]) == run.started:
            return run
        ended = state.get("terminated") or (entry.get("lastState") or {}).get("terminated") or {}
        moment = parse_time(ended.get("finishedAt")) or self._store.clock.now()
        return _ended(run, moment, ended.get("reason", ""), ended.get("exitCode", 0))

    def _run(self, pod: Object, name: str, *, is_previous: bool) -> Run:
        entry = container_status(pod, name)
        state, last = entry.get("state") or {}, (entry.get("lastState") or {}).get("terminated")
        meta = pod["metadata"]
        if is_previous:
            if last is None:
                raise bad_request(f'previous terminated container "{name}" in pod "{meta["name"]}" not found')
            ended: dict[str, Any] | None = last
        else:
            ended = state.get("terminated") or (last if "waiting" in state else None)
        running = state.get("running") if not is_previous else None
        if running is None and ended is None:
            reason = (state.get("waiting") or {}).get("reason") or "ContainerCreating"
            why = "trying and failing to pull image" if "Image" in reason else reason
            raise bad_request(f'container "{name}" in pod "{meta["name"]}" is waiting to start: {why}')
        began = (running or ended or {})["startedAt"]
        app = (meta.get("labels") or {}).get("app") or name
        key = (meta["namespace"], app)
        run = Run(
            app if name == "app" else name,
            name,
            f"{meta['uid']}/{name}/{began}",
            parse_time(began) or self._store.clock.now(),
            per_s=self.rates.get(key, 0.5),
            troubles=self.troubles.get(key, 0.02),
        )
        if running is None and ended is not None:
            finished = parse_time(ended["finishedAt"]) or run.started
            return _ended(run, finished, ended.get("reason", ""), ended.get("exitCode", 0))
        return run


def _ended(run: Run, moment: datetime, reason: str = "", code: int = 0) -> Run:
    return Run(
        run.app, run.container, run.seed, run.started, max(moment, run.started), reason, code, run.per_s, run.troubles
    )


def _since(call: Call, now: datetime) -> datetime | None:
    try:
        if call.query.get("sinceTime"):
            moment = parse_time(call.query["sinceTime"])
            return moment.replace(microsecond=0) if moment else None  # so it reaches the kubelet
        if call.query.get("sinceSeconds"):
            return now - timedelta(seconds=int(call.query["sinceSeconds"]))
    except ValueError as error:
        raise bad_request(f"sinceTime: Invalid value: {call.query.get('sinceTime')!r}") from error
    return None


def _line(moment: datetime, text: str, with_times: bool) -> bytes:
    stamped = f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z " if with_times else ""
    return f"{stamped}{text}\n".encode()


async def _misbehave(call: Call, fault: Fault, response: web.StreamResponse, body: bytes = b"") -> None:
    """Go wrong, as a rule in the middle of the last line of what is to be sent."""
    if fault.kind in (FaultKind.CUT, FaultKind.TORN):
        await response.write(body[:-5])
    if fault.kind is FaultKind.CUT:
        await asyncio.sleep(0.01)  # what was written must not be torn down with the connection
        if call.http.transport is not None:
            call.http.transport.abort()
    elif fault.kind is FaultKind.SILENT:
        await fault.released.wait()
