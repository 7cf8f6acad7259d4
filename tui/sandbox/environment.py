"""The wall between the sandbox and everything else the person who starts it can reach."""

from collections.abc import Mapping, MutableMapping

KEPT = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONPYCACHEPREFIX",
    "TMPDIR",
    "TZ",
)
"""All that the supervisor inherits: where Python and the temporary folder are, and the language."""

SERVERS = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
"""The whole environment of PostgreSQL and Valkey."""

_LEADS_OUT = ("PG", "REDIS", "VALKEY", "AWS_", "KUBE", "GOOGLE_", "AZURE_", "DOCKER_")
_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY", "SSH_AUTH_SOCK")


def kept(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the few variables of `environ` that the supervisor may see."""
    return {name: environ[name] for name in KEPT if name in environ}


def wall_off(environ: MutableMapping[str, str]) -> list[str]:
    """Remove from `environ` whatever names a real system: servers, clouds, clusters, proxies.

    For the process that shows the sandbox; call it before any client library is loaded.
    Returns the removed names, sorted; never their values.
    """
    removed = sorted(name for name in environ if name.upper().startswith(_LEADS_OUT) or name.upper() in _NAMES)
    for name in removed:
        del environ[name]
    return removed
