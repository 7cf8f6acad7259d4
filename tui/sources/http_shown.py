"""What of HTTP may be seen: URLs, headers and bodies without secrets, ours or others'. Pure."""

import contextlib
import json
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from tui.sources.text import clean, clean_lines

MAX_SHOWN_BODY: Final = 64 * 1024
_PRIVATE_WORDS: Final = ("authorization", "cookie", "token", "secret", "key", "password", "session")


def shown_url(given: str, url: str) -> str:
    """Return a URL fit for a screen: the reference when it is one, else without user, password and private values."""
    if given.startswith(("env:", "file:")):
        return clean(given)
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return clean(given)
    query = "&".join(
        f"{name}=•••" if is_private(name) and equals else f"{name}{equals}{value}"
        for name, equals, value in (each.partition("=") for each in parts.query.split("&"))
    )
    return clean(urlunsplit((parts.scheme, host, parts.path, query, "")))


def is_private(name: str) -> bool:
    """Tell whether a header or parameter of this name is likely to hold a secret."""
    folded = name.lower()
    return any(word in folded for word in _PRIVATE_WORDS)


def hide(text: str, secrets: tuple[str, ...]) -> str:
    """Return a text without our own secrets: a service that echoes requests would put them on the screen."""
    for secret in secrets:
        for part in {secret, secret.rpartition(" ")[2]}:
            if len(part) >= 4:
                text = text.replace(part, "•••")
    return text


def shown_headers(headers: tuple[tuple[str, str], ...], secrets: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return an answer's headers fit for a screen: cleaned, private values and our own secrets masked."""
    return tuple((clean(name, limit=100), _shown_header(name.lower(), value, secrets)) for name, value in headers[:60])


def _shown_header(name: str, value: str, secrets: tuple[str, ...]) -> str:
    if is_private(name):
        return "•••"
    return clean(hide(shown_url("", value) if name == "location" else value, secrets), limit=500)


def shown_body(text: str, document: object, is_cut: bool, *, most: int = MAX_SHOWN_BODY) -> str:
    """Return a body fit for a screen: cleaned, JSON indented when `document` is what it holds, at most `most`."""
    if document is not None:
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(document, indent=2, ensure_ascii=False)
    shown = clean_lines(text, limit=most)
    return f"{shown}\n…" if is_cut or len(text) > most else shown
