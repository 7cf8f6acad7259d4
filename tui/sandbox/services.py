"""HTTP services with health documents on loopback ports."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

Shape = Literal["components", "checks"]
State = Literal["good", "degraded", "bad"]

CALM_ERROR_SHARE = 0.004
"""Part of the requests that fail for no reason but bad luck."""

_WORDS: Mapping[Shape, Mapping[State, str]] = {
    "components": {"good": "UP", "degraded": "OUT_OF_SERVICE", "bad": "DOWN"},
    "checks": {"good": "healthy", "degraded": "degraded", "bad": "unhealthy"},
}
_MEANING: Mapping[str, State] = {
    "up": "good", "ok": "good", "healthy": "good", "pass": "good",
    "degraded": "degraded", "out_of_service": "degraded", "warn": "degraded",
    "down": "bad", "unhealthy": "bad", "fail": "bad",
}  # fmt: skip


@dataclass(slots=True)
class Component:
    """One thing a service says about itself."""

    state: State = "good"
    word: str = ""
    """The status in other words than the shape's own; empty for these."""
    details: dict[str, object] = field(default_factory=dict)
    observed: State | None = None
    """What the load saw of the real server behind this component; None when nothing checks it."""

    @property
    def worst(self) -> State:
        """The worse of what was set and what was observed."""
        return max(self.state, self.observed or "good", key=("good", "degraded", "bad").index)


class Service:
    """A health document and the delay with which it is served."""

    def __init__(
        self,
        name: str,
        shape: Shape,
        components: Mapping[str, Component],
        latency_ms: float,
        *,
        always_200: bool = False,
    ) -> None:
        self.name = name
        self.shape: Shape = shape
        self.components = dict(components)
        self._own = frozenset(components)
        self.latency_ms = latency_ms
        self.slower_by = 1.0
        self.error_share = CALM_ERROR_SHARE
        """Part of its customers' requests that fail, 0 to 1; scenarios raise it."""
        self._always_200 = always_200
        self._started = time.monotonic()

    def set(self, component: str, status: str) -> None:
        """Change or add a component; an unknown status is shown as it is and counts as bad.

        An empty status sets it back to good; an added component goes.
        """
        if not status and component not in self._own:
            self.components.pop(component, None)
            return
        entry = self.components.setdefault(component, Component())
        meaning = _MEANING.get(status.lower()) if status else "good"
        entry.state = meaning or "bad"
        entry.word = "" if meaning else status

    def calm(self) -> None:
        """Be quick again, and fail no requests but those of bad luck."""
        self.slower_by, self.error_share = 1.0, CALM_ERROR_SHARE

    def document(self) -> tuple[int, dict[str, object]]:
        """Return the HTTP status and the health document."""
        words = _WORDS[self.shape]
        worst: State = "good"
        parts: dict[str, object] = {}
        for name, component in self.components.items():
            worst = max(worst, component.worst, key=("good", "degraded", "bad").index)
            status = component.word or words[component.worst]
            if self.shape == "components":
                parts[name] = {"status": status, **({"details": component.details} if component.details else {})}
            else:
                parts[name] = {"status": status, **component.details}
        http = 503 if worst == "bad" and not self._always_200 else 200
        if self.shape == "components":
            return http, {"status": words[worst], "components": parts}
        uptime = round(time.monotonic() - self._started)
        return http, {"status": words[worst], "version": "4.2.1", "uptime_s": uptime, "checks": parts}

    async def answer(self, request: web.Request) -> web.Response:
        """Serve GET /health."""
        await asyncio.sleep(self.latency_ms * self.slower_by * random.uniform(0.7, 1.5) / 1000)
        status, document = self.document()
        return web.json_response(document, status=status)


def shop_services() -> dict[str, Service]:
    """Return the services over plain HTTP as they are on a calm day: search serves 200 and says degraded."""
    services = (
        Service(
            "gateway", "checks", {"upstreams": Component(details={"healthy": 5, "total": 5}), "tls": Component()}, 3
        ),
        Service("api", "components", {"db": _postgres(), "redis": _redis(), "ping": Component()}, 12),
        Service("orders", "components", {"db": _postgres(), "redis": _redis(), "diskSpace": _disk()}, 18),
        Service(
            "payments",
            "components",
            {"db": _postgres(), "provider": Component(details={"endpoint": "sandbox"})},
            35,
        ),
        Service(
            "search",
            "checks",
            {
                "index": Component("degraded", details={"message": "replica 2 of 3 is 41 s behind"}),
                "queries": Component(),
            },
            55,
            always_200=True,
        ),
        Service("auth", "checks", {"redis": _redis(), "keys": Component(details={"expires_in_days": 64})}, 6),
    )
    return {service.name: service for service in services}


def _postgres() -> Component:
    return Component(details={"database": "PostgreSQL", "validationQuery": "isValid()"})


def _redis() -> Component:
    return Component(details={"version": "7.2.4"})


def _disk() -> Component:
    return Component(details={"total": 53_687_091_200, "free": 31_138_512_896, "threshold": 10_485_760})


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ServicePorts:
    """The services' listening sockets."""

    def __init__(self, routes: Mapping[str, Mapping[str, Handler]] | None = None) -> None:
        """`routes` are what services answer beside their health: `METHOD /path` → handler, by service."""
        self._routes = routes or {}
        self._runners: list[web.AppRunner] = []

    async def listen(self, services: Mapping[str, Service]) -> dict[str, str]:
        """Open one free loopback port per service; return the health URLs."""
        return dict(zip(services, [await self._open(service) for service in services.values()], strict=True))

    async def _open(self, service: Service) -> str:
        app = web.Application()
        app.router.add_get("/health", service.answer)
        for route, handler in self._routes.get(service.name, {}).items():
            method, _, path = route.partition(" ")
            app.router.add_route(method, path, handler)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/health"

    async def close(self) -> None:
        """Close every port."""
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
