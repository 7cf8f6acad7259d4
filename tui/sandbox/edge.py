"""The way in from outside: a service over TLS, whose certificate can be made to expire."""

import ssl
from pathlib import Path

from aiohttp import web

from tui.sandbox.cluster.certificate import Certificate

CALM_DAYS = 64.0


class Edge:
    """One HTTPS port on the loopback with a health document."""

    def __init__(self, folder: Path) -> None:
        self._ca_file = folder / "edge-ca.pem"
        self._runner: web.AppRunner | None = None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority = Certificate(3650.0)
        self._ca_file.write_text(self._authority.pem, encoding="ascii")
        self.renew(CALM_DAYS)

    def renew(self, days: float) -> None:
        """Serve, from the next connection on, a certificate that ends in so many days."""
        self._authority.serve(self._context, self._authority.issued("edge.shop.example", days))

    async def listen(self) -> str:
        """Open a free port and return the health URL."""
        app = web.Application()
        app.router.add_get("/health", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context).start()
        return f"https://127.0.0.1:{self._runner.addresses[0][1]}/health"

    async def _answer(self, request: web.Request) -> web.Response:
        response = web.json_response({"status": "ok", "checks": {"upstream": {"status": "ok"}}})
        response.force_close()  # so that each request sees the certificate of the moment
        return response

    async def close(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()
