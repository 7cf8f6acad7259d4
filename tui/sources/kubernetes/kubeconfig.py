"""Kubeconfig files → how to reach one cluster and as whom. Pure but for reading the files.

Several files are merged as kubectl does it: the first to name a thing wins.
"""

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from profiles.systems import Kubernetes
from tui.sources.errors import SourceError, Unreadable
from tui.sources.kubernetes.proxy import environment_proxy
from tui.sources.text import clean

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its own token, CA and namespace."""
IN_CLUSTER: Final = "in-cluster"
"""What stands in the place of a context's name where there is no kubeconfig."""


@dataclass(frozen=True, slots=True, repr=False)
class Plugin:
    """An exec credential plugin, as the kubeconfig's user names it. Has no repr: its environment may hold secrets."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    api_version: str
    install_hint: str
    cluster: Mapping[str, Any] | None = None
    """What it is told of the cluster; None unless the kubeconfig says `provideClusterInfo`."""


@dataclass(frozen=True, slots=True, repr=False)
class Material:
    """A certificate or key: a file, or its content from the kubeconfig. Has no repr: it may be the key."""

    path: Path | None
    content: bytes | None


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """How to reach one cluster, and as whom. Has no repr: it holds secrets."""

    context: str
    server: str
    user: str
    """The kubeconfig's name of the user, not the server's."""
    namespace: str
    """The context's namespace; empty when it names none."""
    ca: Material | None = None
    insecure: bool = False
    tls_server_name: str | None = None
    proxy: str | None = None
    certificate: Material | None = None
    key: Material | None = None
    token: str | None = None
    token_file: Path | None = None
    basic: tuple[str, str] | None = None
    plugin: Plugin | None = None
    impersonate: Mapping[str, str] | None = None
    """Headers of `as`, `as-uid`."""

    @property
    def endpoint(self) -> str:
        """The server as people may see it: without a path, which some proxies make a secret of, or a password."""
        found = urlsplit(self.server)
        return clean(f"{found.scheme}://{found.netloc.rpartition('@')[2]}")


def paths(entry: Kubernetes, environ: Mapping[str, str]) -> list[Path]:
    """Return the kubeconfig files to read: the profile's, else `$KUBECONFIG`'s list, else `~/.kube/config`."""
    if entry.kubeconfig is not None:
        return [_path(os.path.expandvars(entry.kubeconfig))]
    listed = [_path(item) for item in environ.get("KUBECONFIG", "").split(os.pathsep) if item]
    return listed or [_path("~/.kube/config")]


def _path(written: str) -> Path:
    # Unlike Path's own, this leaves `~` as it is for a user without a home, as in containers.
    return Path(os.path.expanduser(written))


def login(entry: Kubernetes, environ: Mapping[str, str]) -> Login:
    """Return how to log in to the profile's cluster.

    Raises:
        Unreadable: no kubeconfig, no such context, or something missing or unsupported in it.
    """
    candidates = paths(entry, environ)
    found = [path for path in candidates if path.exists()]
    if not found:
        if entry.kubeconfig is None and entry.context is None and "KUBERNETES_SERVICE_HOST" in environ:
            return _in_cluster(environ)
        raise Unreadable(
            f"no kubeconfig at {clean(', '.join(map(str, candidates)))}",
            "log in to the cluster first, set KUBECONFIG, or name the file in the profile",
        )
    chosen = choose([(path, _load(path)) for path in found], entry.context)
    return chosen if chosen.proxy else replace(chosen, proxy=environment_proxy(chosen.server, environ))


def _load(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise Unreadable(f"kubeconfig {clean(str(path))}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # The parser's own words may quote a line that holds a token.
        raise Unreadable(f"kubeconfig {clean(str(path))} is not YAML") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise Unreadable(f"kubeconfig {clean(str(path))} is not a kubeconfig")
    return document


def choose(files: Sequence[tuple[Path, Mapping[str, Any]]], context: str | None) -> Login:
    """Return the login of `context` (None: the current one) from kubeconfig documents, the first file first."""
    name = context or next(
        (str(document["current-context"]) for _, document in files if document.get("current-context")), ""
    )
    contexts = _named(files, "contexts", "context")
    choices = ", ".join(sorted(contexts)) or "none"
    if not name:
        raise Unreadable("the kubeconfig has no current context", f"name one in the profile: {clean(choices)}")
    if name not in contexts:
        raise Unreadable(f"no context {clean(name)} in the kubeconfig", f"it has: {clean(choices)}")
    chosen = contexts[name][1]
    cluster_name, user_name = str(chosen.get("cluster", "")), str(chosen.get("user", ""))
    clusters, users = _named(files, "clusters", "cluster"), _named(files, "users", "user")
    if cluster_name not in clusters or not clusters[cluster_name][1].get("server"):
        raise Unreadable(f"context {clean(name)}: the kubeconfig has no server for cluster {clean(cluster_name)!r}")
    if user_name and user_name not in users:
        raise Unreadable(f"context {clean(name)}: the kubeconfig has no user {clean(user_name)!r}", "log in first")
    folder, cluster = clusters[cluster_name]
    user_folder, user = users.get(user_name, (folder, {}))
    _refuse_unsupported(user, cluster)
    return Login(
        context=clean(name),
        server=str(cluster["server"]).rstrip("/"),
        user=clean(user_name),
        namespace=clean(str(chosen.get("namespace") or "")),
        ca=_material(cluster, "certificate-authority", folder),
        insecure=cluster.get("insecure-skip-tls-verify") is True,
        tls_server_name=cluster.get("tls-server-name"),
        proxy=cluster.get("proxy-url"),
        certificate=_material(user, "client-certificate", user_folder),
        key=_material(user, "client-key", user_folder),
        token=str(user["token"]).strip() if user.get("token") else None,
        token_file=user_folder / str(user["tokenFile"]) if user.get("tokenFile") else None,
        basic=(str(user["username"]), str(user["password"])) if user.get("username") and user.get("password") else None,
        plugin=_plugin(user["exec"], user_folder, cluster, folder) if isinstance(user.get("exec"), dict) else None,
        impersonate=_impersonation(user),
    )


def _named(
    files: Sequence[tuple[Path, Mapping[str, Any]]], section: str, key: str
) -> dict[str, tuple[Path, Mapping[str, Any]]]:
    """Return the entries of a section by name, each with the folder its relative paths start from."""
    found: dict[str, tuple[Path, Mapping[str, Any]]] = {}
    for path, document in files:
        for item in document.get(section) or ():
            if isinstance(item, dict) and isinstance(item.get(key), dict):
                found.setdefault(str(item.get("name")), (path.parent, item[key]))
    return found


def _refuse_unsupported(user: Mapping[str, Any], cluster: Mapping[str, Any]) -> None:
    if isinstance(provider := user.get("auth-provider"), dict):
        raise Unreadable(
            f"the kubeconfig uses the removed auth-provider {clean(str(provider.get('name')))!r}",
            "use an exec credential plugin (kubelogin, gke-gcloud-auth-plugin)",
        )
    if str(cluster.get("proxy-url") or "").startswith("socks"):
        raise Unreadable("proxy-url: SOCKS proxies are not supported", "use an http:// proxy or an ssh port forward")
    if user.get("as-groups") or user.get("as-user-extra"):
        raise Unreadable("as-groups and as-user-extra of the kubeconfig are not supported")


def _material(section: Mapping[str, Any], key: str, folder: Path) -> Material | None:
    if data := section.get(f"{key}-data"):
        try:
            return Material(None, base64.b64decode(data, validate=False))
        except (binascii.Error, ValueError, TypeError) as error:
            raise Unreadable(f"{key}-data of the kubeconfig is not base64") from error
    return Material(folder / str(section[key]), None) if section.get(key) else None


def _plugin(spec: Mapping[str, Any], folder: Path, cluster: Mapping[str, Any], beside: Path) -> Plugin:
    command = str(spec.get("command", ""))
    if spec.get("interactiveMode") == "Always":
        raise Unreadable(
            f"credential plugin {clean(command)} asks on a terminal (interactiveMode: Always), and this one is taken",
            "log in by hand first, with a plugin that keeps what it got",
        )
    # kubectl looks a bare name up in PATH and a relative path beside the kubeconfig.
    if os.sep in command and not os.path.isabs(command):
        command = str(folder / command)
    return Plugin(
        command=(command, *(str(argument) for argument in spec.get("args") or ())),
        environment={str(item["name"]): str(item.get("value", "")) for item in spec.get("env") or () if "name" in item},
        api_version=str(spec.get("apiVersion") or "client.authentication.k8s.io/v1"),
        install_hint=clean(str(spec.get("installHint") or "")),
        cluster=_told(cluster, beside) if spec.get("provideClusterInfo") is True else None,
    )


_TOLD: Final = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")


def _told(cluster: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return what a plugin is told of the cluster, in the words of `client.authentication.k8s.io`."""
    told = {key: cluster[key] for key in _TOLD if cluster.get(key)}
    if (ca := _material(cluster, "certificate-authority", folder)) is not None:
        try:
            content = ca.content if ca.path is None else ca.path.read_bytes()
        except OSError as error:
            raise Unreadable(f"certificate file {clean(str(ca.path))}: {error.strerror}") from error
        told["certificate-authority-data"] = base64.b64encode(content or b"").decode()
    for item in cluster.get("extensions") or ():
        if isinstance(item, dict) and item.get("name") == "client.authentication.k8s.io/exec":
            told["config"] = item.get("extension")
    return told


def _impersonation(user: Mapping[str, Any]) -> Mapping[str, str] | None:
    headers = {"Impersonate-User": user.get("as"), "Impersonate-Uid": user.get("as-uid")}
    return {key: str(value) for key, value in headers.items() if value} or None


def _in_cluster(environ: Mapping[str, str]) -> Login:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        namespace = (SERVICE_ACCOUNT / "namespace").read_text().strip()
    except OSError as error:
        raise SourceError(f"inside a pod, but without a service account: {error.strerror}") from error
    return Login(
        context=IN_CLUSTER,
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        user="service account",
        namespace=clean(namespace),
        ca=Material(SERVICE_ACCOUNT / "ca.crt", None),
        token_file=SERVICE_ACCOUNT / "token",
    )
