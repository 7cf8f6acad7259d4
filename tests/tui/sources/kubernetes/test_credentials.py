"""Every way to log in, against a server that checks it: what is fresh, what has run out, what is refused."""

import asyncio
import base64
import json
import re
import socket
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from profiles.systems import Kubernetes
from tui.sandbox.cluster.certificate import Certificate
from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.kubernetes import credentials
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.credentials import Credentials
from tui.sources.kubernetes.kubeconfig import Login, Plugin, login
from tui.sources.kubernetes.source import KubernetesSource

Answering = Callable[[web.Request], web.Response]
EXEC = "client.authentication.k8s.io/v1"


@asynccontextmanager
async def _served(
    answer: Callable[[web.Request], web.Response], context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.Response:
        return answer(request)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    server = TestServer(application, scheme="https" if context else "http", host="127.0.0.1")
    await server.start_server(ssl=context)
    try:
        yield str(server.make_url("/")).rstrip("/")
    finally:
        await server.close()


@asynccontextmanager
async def _asked(
    folder: Path, user: dict[str, Any], answer: Answering, context: ssl.SSLContext | None = None, **cluster: Any
) -> AsyncIterator[Connection]:
    """Serve, and connect with a kubeconfig of this user and cluster."""
    async with _served(answer, context) as server, _connected(_written(folder, server, user, **cluster)) as connection:
        yield connection


def _written(folder: Path, server: str, user: dict[str, Any], **cluster: Any) -> Path:
    path = folder / "config"
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


@asynccontextmanager
async def _connected(path: Path, environ: dict[str, str] | None = None) -> AsyncIterator[Connection]:
    connection = Connection(Kubernetes(kubeconfig=str(path)), environ or {})
    connection.reopen_s = 0.0
    try:
        yield connection
    finally:
        await connection.close()


def _plugin(folder: Path, script: str, **more: Any) -> dict[str, Any]:
    program = folder / "plugin.py"
    program.write_text(script)
    return {"exec": {"command": sys.executable, "args": [str(program)], "apiVersion": EXEC, **more}}


_COUNTING = """
import json, pathlib, sys, time
count = pathlib.Path(__file__).with_suffix(".count")
with count.open("a") as file: file.write("x")
time.sleep({pause})
print(json.dumps({{"status": {{"token": "token-" + str(len(count.read_text()))}}}}))
"""


def _bearer(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


async def test_many_who_need_a_token_at_once_run_the_plugin_once(tmp_path: Path) -> None:
    user = _plugin(tmp_path, _COUNTING.format(pause=0.3))
    async with _asked(tmp_path, user, lambda request: web.json_response({"token": _bearer(request)})) as connection:
        answers = await asyncio.gather(*(connection.get("/version") for _ in range(20)))
    assert {answer["token"] for answer in answers} == {"token-1"}
    assert (tmp_path / "plugin.count").read_text() == "x"


async def test_many_who_wait_for_a_plugin_share_its_failure_too(tmp_path: Path) -> None:
    script = _COUNTING.format(pause=0.3) + "\nsys.exit('not logged in')"
    async with _connected(_written(tmp_path, "http://127.0.0.1:1", _plugin(tmp_path, script))) as connection:
        found = await asyncio.gather(*(connection.get("/version") for _ in range(20)), return_exceptions=True)
    assert len(found) == 20
    assert all(isinstance(error, Denied) and "not logged in" in str(error) for error in found)
    assert (tmp_path / "plugin.count").read_text() == "x"


async def test_a_plugin_slower_than_a_reading_may_be_is_not_begun_again_and_again(tmp_path: Path) -> None:
    user = _plugin(tmp_path, _COUNTING.format(pause=1.0))
    async with _asked(tmp_path, user, lambda request: web.json_response({"token": _bearer(request)})) as connection:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await connection.open()
        assert (await connection.get("/version"))["token"] == "token-1"
    assert (tmp_path / "plugin.count").read_text() == "x"


async def test_whoever_waits_while_the_connection_is_closed_is_told(tmp_path: Path) -> None:
    user = _plugin(tmp_path, _COUNTING.format(pause=60))
    async with _connected(_written(tmp_path, "http://127.0.0.1:1", user)) as connection:
        waiting = asyncio.create_task(connection.open())
        async with asyncio.timeout(20):
            while not (tmp_path / "plugin.count").exists():
                await asyncio.sleep(0.02)
        await connection.close()
        with pytest.raises(Unreachable, match="the connection was closed"):
            await waiting


async def test_a_token_that_is_refused_is_renewed_once_for_the_next_request(tmp_path: Path) -> None:
    def answer(request: web.Request) -> web.Response:
        return web.json_response({"ok": True}, status=200 if _bearer(request) == "token-2" else 401)

    user = _plugin(tmp_path, _COUNTING.format(pause=0))
    async with _asked(tmp_path, user, answer) as connection:
        with pytest.raises(Denied, match="credentials refused"):
            await connection.get("/version")
        assert await connection.get("/version")
        assert await connection.get("/version")
        assert connection.openings == 2
    assert (tmp_path / "plugin.count").read_text() == "xx"


async def test_a_server_that_refuses_every_token_does_not_run_the_plugin_in_a_loop(tmp_path: Path) -> None:
    user = _plugin(tmp_path, _COUNTING.format(pause=0))
    async with _asked(tmp_path, user, lambda request: web.json_response({}, status=401)) as connection:
        connection.reopen_s = 60.0
        for _ in range(10):
            with pytest.raises(Denied, match="run your login command again"):
                await connection.get("/version")
    assert (tmp_path / "plugin.count").read_text() == "x"


async def test_what_a_plugin_has_started_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_PLUGIN_TIMEOUT_S", 2.0)
    script = f"""#!/bin/sh
sleep 300 &
echo $! > {tmp_path}/child
wait
"""
    program = tmp_path / "plugin.sh"
    program.write_text(script)
    program.chmod(0o700)
    with pytest.raises(Denied, match="no answer within 2 s"):
        await Credentials(
            Login("c", "https://x", "u", "", plugin=Plugin((str(program),), {}, EXEC, ""))
        ).authorization()
    child = int((tmp_path / "child").read_text())
    async with asyncio.timeout(30):
        while _lives(child):
            await asyncio.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return re.search(r"^State:\s+Z", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE) is None
    except OSError:
        return False


async def test_a_plugin_is_told_of_the_cluster_where_the_kubeconfig_says_so(tmp_path: Path) -> None:
    script = f"""
import json, os
spec = json.loads(os.environ["KUBERNETES_EXEC_INFO"])["spec"]
open({str(tmp_path / "told")!r}, "w").write(json.dumps(spec))
print(json.dumps({{"status": {{"token": os.environ["REGION"]}}}}))
"""
    (tmp_path / "ca.crt").write_text("PEM")
    more = {"provideClusterInfo": True, "env": [{"name": "REGION", "value": "eu"}]}
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "me"}}
    path = _written(
        tmp_path, "https://x", _plugin(tmp_path, script, **more),
        **{"certificate-authority": "ca.crt", "extensions": [extension], "tls-server-name": "api"},
    )  # fmt: skip
    found = login(Kubernetes(kubeconfig=str(path)), {})
    assert await Credentials(found).authorization() == "Bearer eu"
    assert json.loads((tmp_path / "told").read_text()) == {
        "interactive": False,
        "cluster": {
            "server": "https://x",
            "tls-server-name": "api",
            "certificate-authority-data": base64.b64encode(b"PEM").decode(),
            "config": {"audience": "me"},
        },
    }


async def test_a_plugin_that_must_ask_a_person_is_refused_in_words(tmp_path: Path) -> None:
    path = _written(tmp_path, "https://x", _plugin(tmp_path, "", interactiveMode="Always"))
    async with _connected(path) as connection:
        with pytest.raises(Unreadable, match=r"asks on a terminal.*log in by hand first"):
            await connection.open()


async def test_a_token_of_the_kubeconfig_goes_before_its_plugin(tmp_path: Path) -> None:
    user = {**_plugin(tmp_path, _COUNTING.format(pause=0)), "token": "mine"}
    async with _asked(tmp_path, user, lambda request: web.json_response({"token": _bearer(request)})) as connection:
        assert (await connection.get("/version"))["token"] == "mine"
    assert not (tmp_path / "plugin.count").exists()


async def test_a_token_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_FILE_FRESH_S", -1.0)
    token = tmp_path / "token"
    token.write_text("first\n")
    async with _asked(
        tmp_path, {"tokenFile": "token", "token": "old"}, lambda request: web.json_response({"token": _bearer(request)})
    ) as connection:
        assert (await connection.get("/version"))["token"] == "first"
        token.write_text("second\n")
        assert (await connection.get("/version"))["token"] == "second"
        token.unlink()
        with pytest.raises(Denied, match=f"token file {token} cannot be read"):
            await connection.get("/version")


# Certificates


def _demanding(ours: Certificate, authority: Certificate) -> ssl.SSLContext:
    """Return the context of a server that takes only clients with a certificate of this authority."""
    context = ours.context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.pem)
    return context


def _subject(request: web.Request) -> web.Response:
    assert request.transport is not None
    peer = request.transport.get_extra_info("peercert")
    return web.json_response({"subject": peer["subject"][0][0][1]})


@pytest.mark.parametrize("is_in_files", [True, False])
async def test_a_client_certificate_is_shown_from_a_file_and_from_the_kubeconfig_itself(
    tmp_path: Path, *, is_in_files: bool
) -> None:
    server_side, client_side = Certificate(), Certificate()
    pem = client_side.issued("jane", 1)
    if is_in_files:
        (tmp_path / "me.crt").write_text(pem)
        (tmp_path / "me.key").write_text(client_side.key_pem)
        (tmp_path / "ca.crt").write_text(server_side.pem)
        user = {"client-certificate": "me.crt", "client-key": "me.key"}
        cluster = {"certificate-authority": "ca.crt"}
    else:
        user = {"client-certificate-data": _b64(pem), "client-key-data": _b64(client_side.key_pem)}
        cluster = {"certificate-authority-data": _b64(server_side.pem)}
    async with _asked(tmp_path, user, _subject, _demanding(server_side, client_side), **cluster) as connection:
        assert (await connection.get("/version"))["subject"] == "jane"


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@contextmanager
def _strict(context: ssl.SSLContext) -> Iterator[str]:
    """Serve TLS as OpenSSL alone does it: asyncio's server hangs up without saying what it minds."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connected, _ = listening.accept()
            except OSError:
                return
            connected.settimeout(10)
            with context.wrap_socket(connected, server_side=True, do_handshake_on_connect=False) as tls:
                with suppress(ssl.SSLError):
                    tls.do_handshake()
                tls.shutdown(socket.SHUT_WR)
                while tls.recv(10_000):
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@pytest.mark.parametrize(("days", "words"), [(-1, "certificate expired"), (None, "certificate required")])
async def test_a_client_certificate_that_is_refused_is_called_that(
    tmp_path: Path, days: int | None, words: str
) -> None:
    server_side, client_side = Certificate(), Certificate()
    user = {}
    if days is not None:
        pem = client_side.issued("jane", days)
        user = {"client-certificate-data": _b64(pem), "client-key-data": _b64(client_side.key_pem)}
    cluster = {"certificate-authority-data": _b64(server_side.pem)}
    with _strict(_demanding(server_side, client_side)) as server:
        async with _connected(_written(tmp_path, server, user, **cluster)) as connection:
            with pytest.raises(Denied, match=f"refuses our client certificate: {words}; log in again"):
                await connection.get("/version")


async def test_a_key_with_a_passphrase_is_refused_before_openssl_asks_the_terminal(tmp_path: Path) -> None:
    for head in ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED"):
        user = {"client-certificate-data": _b64(Certificate().pem), "client-key-data": _b64(head)}
        async with _connected(_written(tmp_path, "https://127.0.0.1:1", user)) as connection:
            with pytest.raises(Unreadable, match=r"client key of the kubeconfig is encrypted"):
                await connection.open()


@pytest.mark.parametrize(
    ("authority", "days", "name", "words"),
    [
        ("other", 7.0, "", "certificate not trusted: .*; check certificate-authority"),
        ("none", 7.0, "", "certificate not trusted: self.signed certificate; check certificate-authority"),
        ("own", -1.0, "", "its certificate: certificate has expired; renew the server's certificate"),
        ("own", 7.0, "elsewhere.example", "its certificate is another's: .*; check server and tls-server-name"),
    ],
)
async def test_a_certificate_that_proves_nothing_says_what_is_wrong_with_it(
    tmp_path: Path, authority: str, days: float, name: str, words: str
) -> None:
    made = Certificate(days)
    trusted = {"other": Certificate().pem, "own": made.pem}.get(authority)
    cluster = {"certificate-authority-data": _b64(trusted)} if trusted else {}
    cluster |= {"tls-server-name": name} if name else {}
    async with _asked(
        tmp_path, {"token": "t"}, lambda request: web.json_response({"token": "s3cret"}), made.context(), **cluster
    ) as connection:
        with pytest.raises(Unreachable, match=words):
            await connection.get("/version")


async def test_cas_that_go_takes_are_taken_and_everything_else_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ssl.create_default_context

    def strict(*arguments: Any, **more: Any) -> ssl.SSLContext:  # as from Python 3.13 on
        context = real(*arguments, **more)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    async with _connected(_written(tmp_path, "https://127.0.0.1:1", {})) as connection:
        await connection.open()
        context = connection._api.rest_client.ssl_context
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


# Proxies


@asynccontextmanager
async def _proxy(answer: bytes) -> AsyncIterator[tuple[str, list[str]]]:
    heads: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


async def test_the_kubeconfigs_proxy_goes_before_the_environments_and_its_password_is_not_shown(tmp_path: Path) -> None:
    async with _proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as (address, heads):
        path = _written(
            tmp_path, "https://api.invalid", {"token": "t"}, **{"proxy-url": f"http://me:hunter2@{address}"}
        )
        async with _connected(path, {"HTTPS_PROXY": "http://127.0.0.1:1"}) as connection:
            with pytest.raises(Unreachable) as caught:
                await connection.get("/version")
    assert "the proxy refused the way there: 407 Proxy Authentication Required; check proxy-url" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert heads[0].startswith("CONNECT api.invalid:443")
    assert f"Basic {_b64('me:hunter2')}" in heads[0]


async def test_a_proxy_that_is_down_is_not_taken_for_the_cluster(tmp_path: Path) -> None:
    path = _written(tmp_path, "https://api.invalid", {}, **{"proxy-url": "http://me:hunter2@127.0.0.1:1"})
    async with _connected(path) as connection:
        with pytest.raises(Unreachable) as caught:
            await connection.get("/version")
    assert "the proxy 127.0.0.1:1: connection refused; check proxy-url" in str(caught.value)
    assert "hunter2" not in str(caught.value)


# Inside a pod


async def test_inside_a_pod_the_token_is_sent_to_the_pods_own_api_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.sources.kubernetes.kubeconfig.SERVICE_ACCOUNT", tmp_path)
    made = Certificate()
    for name, content in (("namespace", "ops"), ("token", "of-the-pod\n"), ("ca.crt", made.pem)):
        (tmp_path / name).write_text(content)
    async with _served(lambda request: web.json_response({"token": _bearer(request)}), made.context()) as server:
        host, _, port = server.removeprefix("https://").rpartition(":")
        environ = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port, "KUBECONFIG": str(tmp_path / "no")}
        connection = Connection(Kubernetes(), environ)
        try:
            assert (await connection.get("/version"))["token"] == "of-the-pod"
        finally:
            await connection.close()


async def test_a_plugin_that_never_answers_ends_with_its_source(tmp_path: Path) -> None:
    user = _plugin(
        tmp_path, f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(300)"
    )
    source = KubernetesSource(Kubernetes(kubeconfig=str(_written(tmp_path, "https://x", user))), environ={})
    with pytest.raises((TimeoutError, SourceError)):
        async with asyncio.timeout(3):
            await source.read()
    async with asyncio.timeout(20):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            await asyncio.sleep(0.02)
    await source.close()
    assert not _lives(int((tmp_path / "pid").read_text()))
