"""The HTTP client library, without what its package imports for its own command line."""

import importlib
import sys
from typing import Any


def http_library() -> Any:
    """Return httpx, imported now if it was not yet; takes a while, so call it in a thread the first time.

    Its command line client brings 40 modules, among them pygments: more than half of the import's time.
    """
    if "httpx" not in sys.modules:
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # how Python notes what cannot be imported
    return importlib.import_module("httpx")
