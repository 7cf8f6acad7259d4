"""Kubeconfig files as kubectl reads them, and credential plugins that misbehave."""

import base64
import pwd
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from profiles.systems import Kubernetes
from tui.sandbox.cluster import certificate
from tui.sources.errors import Denied, SourceError, Unreadable
from tui.sources.kubernetes import credentials
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.credentials import Credentials
from tui.sources.kubernetes.kubeconfig import Login, Material, Plugin, choose, login
from tui.sources.kubernetes.source import kubectl_words


def _config(*, name: Any = "prod", user: Any = None, **cluster: Any) -> dict[str, Any]:
    return {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "shop"}}],
        "clusters": [{"name": name, "cluster": {"server": "https://api.example:6443", **cluster}}],
        "users": [{"name": name, "user": user or {}}],
    }


def _chosen(config: dict[str, Any], context: str | None = None) -> Login:
    return choose([(Path("/etc/kube/config"), config)], context)


def test_the_current_context_is_taken() -> None:
    found = _chosen(_config(user={"token": "t0ken\n"}))
    assert (found.context, found.server, found.namespace, found.token) == (
        "prod",
        "https://api.example:6443",
        "shop",
        "t0ken",
    )


def test_of_several_files_the_first_to_name_a_thing_wins() -> None:
    first, second = _config(name="prod"), _config(name="dev")
    second["clusters"].append({"name": "prod", "cluster": {"server": "https://elsewhere"}})
    found = choose([(Path("/a/config"), first), (Path("/b/config"), second)], None)
    assert (found.context, found.server) == ("prod", "https://api.example:6443")
    assert choose([(Path("/a/config"), first), (Path("/b/config"), second)], "dev").context == "dev"


def test_a_missing_context_lists_the_choices() -> None:
    with pytest.raises(Unreadable, match=r"no context staging in the kubeconfig; it has: prod"):
        _chosen(_config(), "staging")


def test_a_missing_kubeconfig_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=f"no kubeconfig at {tmp_path}/none"):
        login(Kubernetes(kubeconfig=str(tmp_path / "none")), {})
    with pytest.raises(Unreadable, match=f"no kubeconfig at {tmp_path}/a, {tmp_path}/b"):
        login(Kubernetes(), {"KUBECONFIG": f"{tmp_path}/a:{tmp_path}/b"})


def test_a_broken_kubeconfig_is_never_quoted(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("users: [{name: x, user: {token: s3cret\n")
    with pytest.raises(Unreadable) as caught:
        login(Kubernetes(kubeconfig=str(path)), {})
    assert "s3cret" not in str(caught.value)


def test_relative_paths_start_at_their_own_file() -> None:
    found = _chosen(
        _config(user={"client-certificate": "me.crt", "tokenFile": "me.token"}, **{"certificate-authority": "ca.crt"})
    )
    assert found.ca is not None
    assert found.certificate is not None
    assert (found.ca.path, found.certificate.path, found.token_file) == (
        Path("/etc/kube/ca.crt"),
        Path("/etc/kube/me.crt"),
        Path("/etc/kube/me.token"),
    )


def test_inline_certificates_are_decoded() -> None:
    found = _chosen(_config(**{"certificate-authority-data": base64.b64encode(b"PEM").decode()}))
    assert found.ca is not None
    assert found.ca.content == b"PEM"
    with pytest.raises(Unreadable, match="not base64"):
        _chosen(_config(**{"certificate-authority-data": "a"}))


@pytest.mark.parametrize(
    ("user", "cluster", "words"),
    [
        ({"auth-provider": {"name": "oidc"}}, {}, "removed auth-provider 'oidc'; use an exec credential plugin"),
        ({}, {"proxy-url": "socks5://localhost:1080"}, "SOCKS proxies are not supported"),
        ({"as-groups": ["admins"]}, {}, "as-groups"),
    ],
)
def test_what_is_not_supported_is_said(user: dict[str, Any], cluster: dict[str, Any], words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        _chosen(_config(user=user, **cluster))


def test_impersonation_becomes_headers() -> None:
    assert _chosen(_config(user={"as": "jane"})).impersonate == {"Impersonate-User": "jane"}


def test_inside_a_pod_the_service_account_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.sources.kubernetes.kubeconfig.SERVICE_ACCOUNT", tmp_path)
    (tmp_path / "namespace").write_text("ops\n")
    environ = {
        "KUBERNETES_SERVICE_HOST": "fd00::1",
        "KUBERNETES_SERVICE_PORT": "443",
        "KUBECONFIG": str(tmp_path / "x"),
    }
    found = login(Kubernetes(), environ)
    assert (found.server, found.namespace, found.token_file) == ("https://[fd00::1]:443", "ops", tmp_path / "token")


def test_a_login_shows_no_secret() -> None:
    found = _chosen(_config(user={"token": "s3cret"}))
    assert "s3cret" not in repr(found)
    assert "s3cret" not in repr(Credentials(found))


def test_the_endpoint_shows_neither_path_nor_password() -> None:
    config = _config()
    config["clusters"][0]["cluster"]["server"] = "https://me:s3cret@api.example:6443/as/s3cret"
    assert _chosen(config).endpoint == "https://api.example:6443"


def test_a_pasteable_command_names_cluster_and_namespace() -> None:
    found = _chosen(_config())
    assert kubectl_words(Kubernetes(), found, "shop", "get", "pods") == "kubectl --context prod -n shop get pods"
    entry = Kubernetes(kubeconfig="/my files/config")
    assert kubectl_words(entry, found, "", "get", "nodes").startswith("kubectl --kubeconfig '/my files/config' ")


def _plugin(folder: Path, script: str) -> Login:
    program = folder / "plugin.py"
    program.write_text(script)
    user = {
        "exec": {"command": sys.executable, "args": [str(program)], "apiVersion": "client.authentication.k8s.io/v1"}
    }
    return _chosen(_config(user=user))


async def test_a_plugins_token_is_used_until_it_expires(tmp_path: Path) -> None:
    script = """
import json, os, pathlib, sys, time
count = pathlib.Path(__file__).with_suffix(".count")
runs = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(runs))
assert sys.stdin.read() == "", "standard input must be empty"
assert json.loads(os.environ["KUBERNETES_EXEC_INFO"])["spec"]["interactive"] is False
expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + (10 if runs == 1 else 3600)))
print(json.dumps({"status": {"token": f"token-{runs}", "expirationTimestamp": expires}}))
"""
    found = Credentials(_plugin(tmp_path, script))
    assert await found.authorization() == "Bearer token-1"
    assert await found.authorization() == "Bearer token-2", "ten seconds are too short to rely on"
    assert await found.authorization() == "Bearer token-2"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import sys; sys.exit('login first')", "failed: login first; run your login command again"),
        ("print('no json')", "did not answer with JSON"),
        ("print('{}')", "neither a token nor a certificate"),
        ("import sys; sys.stderr.write('x' * 1_000_000); sys.exit(3)", "failed"),
    ],
)
async def test_a_plugin_that_fails_says_why(tmp_path: Path, script: str, words: str) -> None:
    with pytest.raises(Denied, match=words):
        await Credentials(_plugin(tmp_path, script)).authorization()


async def test_a_plugin_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_PLUGIN_TIMEOUT_S", 0.3)
    started = time.monotonic()
    with pytest.raises(Denied, match="no answer within"):
        await Credentials(_plugin(tmp_path, "import time; time.sleep(60)")).authorization()
    assert time.monotonic() - started < 10


async def test_a_plugin_that_is_not_installed_says_how_to_get_it() -> None:
    plugin = Plugin(("/no/such/plugin",), {}, "v1", "install kubelogin")
    with pytest.raises(Denied, match="No such file or directory; install kubelogin"):
        await Credentials(Login("c", "https://x", "u", "", plugin=plugin)).authorization()


async def test_a_token_file_may_end_with_a_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    assert await Credentials(Login("c", "https://x", "u", "", token_file=tmp_path / "token")).authorization() == (
        "Bearer t0ken"
    )


async def test_a_server_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    config = _config()
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    connection = Connection(Kubernetes(kubeconfig=str(path)), {})
    with pytest.raises(SourceError, match=r"https://127\.0\.0\.1:1: connection refused"):
        await connection.get("/version")
    await connection.close()


async def test_a_certificate_that_is_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "config"
    config = _config(**{"certificate-authority-data": base64.b64encode(b"no PEM").decode()})
    path.write_text(yaml.safe_dump(config))
    with pytest.raises(Unreadable, match="not valid PEM"):
        await Connection(Kubernetes(kubeconfig=str(path)), {}).open()
    config = _config(**{"certificate-authority": "gone.crt"})
    path.write_text(yaml.safe_dump(config))
    with pytest.raises(Unreadable, match="certificate file"):
        await Connection(Kubernetes(kubeconfig=str(path)), {}).open()


async def test_a_redirect_is_never_followed(tmp_path: Path) -> None:
    seen: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        seen.append(f"{request.method} {request.path}")
        raise web.HTTPTemporaryRedirect("/elsewhere")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", redirect)
    async with TestServer(application) as server:
        config = _config()
        config["clusters"][0]["cluster"]["server"] = str(server.make_url("/")).rstrip("/")
        path = tmp_path / "config"
        path.write_text(yaml.safe_dump(config))
        connection = Connection(Kubernetes(kubeconfig=str(path)), {})
        with pytest.raises(Unreadable, match="redirects elsewhere"):
            await connection.call("PATCH", "/apis/x", body=[{"op": "test"}], content_type="application/json-patch+json")
        await connection.close()
    assert seen == ["PATCH /apis/x"]


def test_a_user_without_a_home_has_no_kubeconfig_and_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> object:
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(Unreadable, match=r"no kubeconfig at ~/\.kube/config"):
        login(Kubernetes(), {})


def test_nothing_of_a_login_shows_its_secrets() -> None:
    key, plugin = Material(None, b"hunter2"), Plugin(("aws",), {"TOKEN": "hunter2"}, "v1", "")
    found = Login("c", "https://x", "u", "", key=key, plugin=plugin, token="hunter2", basic=("u", "hunter2"))
    credential = credentials.Credential("hunter2", None, b"hunter2", None)
    assert "hunter2" not in repr([key, plugin, found, credential, Credentials(found)])


async def test_a_plugins_certificate_is_renewed_before_it_expires(tmp_path: Path) -> None:
    made = certificate.Certificate()
    script = f"""
import json, pathlib, time
count = pathlib.Path(__file__).with_suffix(".count")
runs = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(runs))
expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + (10 if runs == 1 else 3600)))
pem = {{"clientCertificateData": {made.pem!r}, "clientKeyData": {made.key_pem!r}}}
print(json.dumps({{"status": {{**pem, "expirationTimestamp": expires}}}}))
"""
    (tmp_path / "plugin.py").write_text(script)
    user = {"exec": {"command": sys.executable, "args": [str(tmp_path / "plugin.py")]}}
    (tmp_path / "config").write_text(yaml.safe_dump(_config(user=user)))
    connection = Connection(Kubernetes(kubeconfig=str(tmp_path / "config")), {})
    connection.reopen_s = 0.0
    try:
        for openings in (1, 2, 2):
            await connection.open()
            assert connection.openings == openings, "ten seconds are too short to rely on, an hour is not"
        assert (tmp_path / "plugin.count").read_text() == "2"
    finally:
        await connection.close()
