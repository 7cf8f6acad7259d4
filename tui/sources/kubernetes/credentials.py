"""The bearer token of a login, kept fresh: fixed, from a file, or from an exec credential plugin."""

import asyncio
import base64
import contextlib
import json
import os
import signal
import time
from dataclasses import dataclass
from typing import Any, Final

from tui.sources.errors import Denied
from tui.sources.kubernetes.fields import moment, part
from tui.sources.kubernetes.flight import Flight
from tui.sources.kubernetes.kubeconfig import Login, Plugin
from tui.sources.text import clean

_PLUGIN_TIMEOUT_S: Final = 30.0
_FILE_FRESH_S: Final = 60.0
_EARLY_S: Final = 30.0
"""How long before its expiry a plugin's token is renewed."""


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """What a plugin answered. Has no repr: it holds secrets."""

    token: str | None
    certificate: bytes | None
    key: bytes | None
    expires_at: float | None
    """`time.time()`; None when the plugin names no expiry."""


class Credentials:
    """Gives the `Authorization` header of a login."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._running: Flight[Credential] = Flight()
        self._file_token: tuple[float, str] | None = None
        self._credential: Credential | None = None

    async def authorization(self) -> str | None:
        """Return the header's value; None for a login without a token.

        Raises:
            Denied: the token file or the plugin gave none.
        """
        login = self._login
        if login.token_file is not None:
            return f"Bearer {await asyncio.to_thread(self._from_file)}"
        if login.token is not None:
            return f"Bearer {login.token}"
        if login.basic is not None:
            return "Basic " + base64.b64encode(":".join(login.basic).encode()).decode()
        if login.plugin is not None:
            token = (await self.credential()).token
            return f"Bearer {token}" if token else None
        return None

    @property
    def come_from_plugin(self) -> bool:
        """Whether a plugin is asked: as kubectl, only where the kubeconfig itself says nothing that suffices."""
        login = self._login
        return login.plugin is not None and login.token_file is None and login.token is None and login.basic is None

    async def close(self) -> None:
        """End a plugin that still runs."""
        await self._running.end()

    @property
    def is_certificate_due(self) -> bool:
        """Whether a plugin's certificate is about to expire: it lives in the connection, which must be made anew."""
        known = self._credential
        return known is not None and known.certificate is not None and _is_due(known)

    async def credential(self) -> Credential:
        """Return the plugin's answer, running it when there is none or it is about to expire."""
        known = self._credential
        return known if known is not None and not _is_due(known) else await self._running.join(self._renew)

    async def _renew(self) -> Credential:
        assert self._login.plugin is not None  # noqa: S101 — the caller looked
        self._credential = await _run(self._login.plugin)
        return self._credential

    def _from_file(self) -> str:
        if self._file_token is None or time.monotonic() - self._file_token[0] > _FILE_FRESH_S:
            assert self._login.token_file is not None  # noqa: S101 — the caller looked
            try:
                token = self._login.token_file.read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise Denied(f"token file {clean(str(self._login.token_file))} cannot be read") from error
            self._file_token = (time.monotonic(), token)
        return self._file_token[1]


def _is_due(credential: Credential) -> bool:
    return credential.expires_at is not None and credential.expires_at - _EARLY_S < time.time()


async def _run(plugin: Plugin) -> Credential:
    name = clean(plugin.command[0])
    spec = {"interactive": False, **({"cluster": plugin.cluster} if plugin.cluster is not None else {})}
    request = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    environment = {**os.environ, **plugin.environment, "KUBERNETES_EXEC_INFO": json.dumps(request)}
    try:
        # Standard input is the terminal that the screen reads its keys from: a plugin must not have it.
        process = await asyncio.create_subprocess_exec(
            *plugin.command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise Denied(f"credential plugin {name}: {error.strerror}", plugin.install_hint) from error
    try:
        async with asyncio.timeout(_PLUGIN_TIMEOUT_S):
            output, complaint = await process.communicate()
    except TimeoutError as error:
        raise Denied(f"credential plugin {name}: no answer within {_PLUGIN_TIMEOUT_S:g} s", "run it by hand") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                # Its whole session: what a script has started would hold on to the pipe.
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        said = clean(complaint.decode(errors="replace").strip().rpartition("\n")[2], limit=300)
        raise Denied(f"credential plugin {name} failed: {said or process.returncode}", "run your login command again")
    return _credential(name, output)


def _credential(name: str, output: bytes) -> Credential:
    try:
        answer: Any = json.loads(output)
    except ValueError as error:
        raise Denied(f"credential plugin {name} did not answer with JSON") from error
    status = part(answer, "status") if isinstance(answer, dict) else {}
    token, certificate, key = (status.get(k) for k in ("token", "clientCertificateData", "clientKeyData"))
    if not token and not (certificate and key):
        raise Denied(f"credential plugin {name} gave neither a token nor a certificate with its key")
    return Credential(
        token=str(token).strip() if token else None,
        certificate=str(certificate).encode() if certificate else None,
        key=str(key).encode() if key else None,
        expires_at=moment(status, "expirationTimestamp"),
    )
