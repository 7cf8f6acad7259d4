"""Runs once more, one after the other, what failed in the newest run of the tests: `python -m tests.once_more`.

pytest's own `--last-failed` cannot: in a run on several workers the name of a test ends with its group, and without a
word it leaves out those of groups as soon as one without a group has failed too.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

FAILED = Path(".pytest_cache/v/cache/lastfailed")
"""Where pytest keeps them, from the project's folder."""


def plain_names(names: Iterable[str]) -> list[str]:
    """Return names of tests without the group behind them; parameters, in brackets, may hold an `@` of their own."""
    return [name if name.endswith("]") else name.rpartition("@")[0] or name for name in names]


def main() -> int | str:
    """Run them, and return pytest's exit status; what to say when no test had failed: then something else did."""
    names = plain_names(json.loads(FAILED.read_text("utf-8"))) if FAILED.exists() else []
    if not names:
        return "no test failed: see above for what did"
    return int(pytest.main(["-q", *names]))


if __name__ == "__main__":
    sys.exit(main())
