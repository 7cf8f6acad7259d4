"""What the sandbox's services answer beside their health: a login, pages that want its token, statistics, CORS."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from tui.sandbox.services import Service

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LIFETIME_S = 900
"""Seconds for which a token is good."""
_ORIGIN = "https://shop.example"


class Identity:
    """Hands out tokens for one user, whose name and password lie in files of the sandbox's folder."""

    def __init__(self, folder: Path) -> None:
        self._user, self._password = "probe", secrets.token_urlsafe(12)
        self._key = secrets.token_bytes(32)
        self._refresh_tokens: set[str] = set()
        for name, text in (("login-user", self._user), ("login-password", self._password)):
            path = folder / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")

    async def login(self, request: web.Request) -> web.Response:
        """Answer a form with a token, or with 401."""
        form = await request.post()
        if (form.get("username"), form.get("password")) != (self._user, self._password):
            return web.json_response({"detail": "Authentication failed"}, status=401)
        return self._tokens()

    async def refresh(self, request: web.Request) -> web.Response:
        """Answer a refresh token, which is good once, with a new token."""
        try:
            given = str((await request.json())["refresh_token"])
            self._refresh_tokens.remove(given)
        except (ValueError, KeyError, TypeError):
            return web.json_response({"detail": "Invalid refresh token"}, status=401)
        return self._tokens()

    async def me(self, request: web.Request) -> web.Response:
        """Say whom a token is for."""
        claims = self._claims(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if claims is None:
            return web.json_response({"detail": "Invalid JWT token"}, status=401)
        return web.json_response({"active": True, "user": claims["sub"], "scope": claims["scope"]})

    def _tokens(self) -> web.Response:
        now = int(time.time())
        claims = {"iss": "https://auth.shop.example", "sub": self._user, "aud": "shop", "scope": "status:read",
                  "iat": now, "exp": now + LIFETIME_S}  # fmt: skip
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'sandbox-1'})}.{_part(claims)}"
        refresh_token = secrets.token_urlsafe(24)
        self._refresh_tokens.add(refresh_token)
        token = f"{signed}.{self._signature(signed)}"
        return web.json_response({"access_token": token, "refresh_token": refresh_token, "expires_in": LIFETIME_S})

    def _signature(self, signed: str) -> str:
        return _encoded(hmac.new(self._key, signed.encode(), hashlib.sha256).digest())

    def _claims(self, token: str) -> dict[str, Any] | None:
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
        return claims if claims["exp"] > time.time() else None


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _part(value: object) -> str:
    return _encoded(json.dumps(value).encode())


def routes(services: Mapping[str, Service], identity: Identity) -> dict[str, dict[str, Handler]]:
    """Return `METHOD /path` → handler, by service."""

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(text=_metrics(services["api"]), content_type="text/plain")

    async def stats(request: web.Request) -> web.Response:
        return web.json_response(_stats(services["search"]))

    async def preflight(request: web.Request) -> web.Response:
        allowed = {
            "Access-Control-Allow-Origin": _ORIGIN,
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
        }
        return web.Response(status=204, headers=allowed if request.headers.get("Origin") == _ORIGIN else {})

    async def ordered(request: web.Request) -> web.Response:
        return web.json_response({"accepted": True, "dry_run": True}, status=202)

    return {
        "auth": {"POST /login": identity.login, "POST /refresh": identity.refresh, "GET /me": identity.me},
        "api": {"GET /metrics": metrics},
        "search": {"GET /stats": stats},
        "gateway": {"OPTIONS /orders": preflight},
        "orders": {"POST /orders/test": ordered},
    }


def _metrics(api: Service) -> str:
    passed = time.monotonic()
    failed = passed * 40 * api.error_share
    lines = [
        "# HELP http_requests_total Requests by method and code.",
        "# TYPE http_requests_total counter",
        f'http_requests_total{{code="200",method="GET"}} {passed * 40:.0f}',
        f'http_requests_total{{code="500",method="GET"}} {failed:.0f}',
        "# HELP http_requests_in_flight Requests being answered now.",
        "# TYPE http_requests_in_flight gauge",
        f"http_requests_in_flight {3 * api.slower_by:.0f}",
        "# HELP pool_connections Connections to the database.",
        "# TYPE pool_connections gauge",
        'pool_connections{state="idle"} 7',
        f'pool_connections{{state="used"}} {3 + passed % 5:.0f}',
    ]
    return "\n".join(lines) + "\n"


def _stats(search: Service) -> dict[str, object]:
    replicas = [{"name": f"replica-{number}", "behind_s": 41 if number == 2 else 0} for number in (1, 2, 3)]
    return {"documents": 184_220, "queries_per_s": 12.5 / search.slower_by, "replicas": replicas}
