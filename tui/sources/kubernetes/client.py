"""The client library, made for one cluster: whom it trusts, as whom it speaks, and that it sends everything once."""

import re
import shutil
import ssl
import sys
import tempfile
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

from tui.sources.errors import Unreadable
from tui.sources.kubernetes.kubeconfig import Login, Material
from tui.sources.kubernetes.refusal import keep_refusal
from tui.sources.text import clean


def client_for(found: Login, certificate: Material | None, key: Material | None) -> Any:
    """Return the library's ApiClient. Runs in a thread: the import alone takes a quarter of a second."""
    import aiohttp

    _leave_out_the_rest()
    from kubernetes.aio.client import ApiClient, Configuration

    # An API server never redirects; what does is a login page, and a write must not be sent again elsewhere.
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    trace.on_request_end.append(keep_refusal)

    configuration = Configuration(host=found.server)
    configuration.verify_ssl = not found.insecure
    # From Python 3.13 on the default refuses CAs that Go takes, among them those of large providers: they lack an
    # extension. Everything that proves who answers is still checked.
    configuration.disable_strict_ssl_verification = True
    configuration.tls_server_name = found.tls_server_name
    configuration.proxy = found.proxy
    configuration.trace_configs = [trace]
    # ~/.netrc must not decide who we are.
    configuration.client_session_kwargs = {"trust_env": False}
    folder = Path(tempfile.mkdtemp(prefix="opstui-kube-"))
    try:
        # The ssl module reads certificates from files only; these live for the next three lines.
        configuration.ssl_ca_cert = _file(found.ca, folder / "ca.crt")
        configuration.cert_file = _file(certificate, folder / "client.crt")
        configuration.key_file = _file(key, folder / "client.key")
        _refuse_passphrase(configuration.key_file)
        client = ApiClient(configuration)
    except ssl.SSLError as error:
        raise Unreadable("a certificate or key of the kubeconfig is not valid PEM, or they do not match") from error
    except OSError as error:
        raise Unreadable(f"certificate file {clean(str(error.filename))}: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    client.user_agent = "opstui"
    return client


def _leave_out_the_rest() -> None:
    """Have the library's packages stand without running their `__init__`.

    They import all there is: the synchronous client, OAuth, requests, WebSockets, leader election; a third of the
    import's time and 9 MiB for what is never called here.
    """
    for name in ("kubernetes", "kubernetes.aio"):
        if name not in sys.modules and (spec := find_spec(name)) is not None:
            sys.modules.setdefault(name, module_from_spec(spec))


def sending_once(client: Any) -> Any:
    """Switch off that the HTTP session sends what counts as idempotent, a DELETE too, again when a connection is lost.

    It has no public switch for that. Needs the running event loop.
    """
    client.rest_client.pool_manager = client.rest_client._create_pool_manager()
    client.rest_client.pool_manager._retry_connection = False
    return client


async def _refuse_redirect(session: object, context: object, redirect: object) -> None:
    raise Unreadable("the server redirects elsewhere: a login page or a proxy, not an API server?")


def _refuse_passphrase(path: str | None) -> None:
    """Refuse a key that OpenSSL would ask the terminal for a passphrase of, under the screen."""
    if path is not None and re.search(rb"^-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED", Path(path).read_bytes(), re.M):
        raise Unreadable("the client key of the kubeconfig is encrypted", "kubectl takes none either: decrypt it")


def _file(material: Material | None, scratch: Path) -> str | None:
    if material is None:
        return None
    if material.content is None:
        return str(material.path)
    scratch.touch(mode=0o600)
    scratch.write_bytes(material.content)
    return str(scratch)
