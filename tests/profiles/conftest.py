"""A search path of the test's own, and profiles written into it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from profiles import places

Write = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's own folder of profiles; the site's is empty, the shipped one is the real one."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(places, "SITE", tmp_path / "site")
    folder = tmp_path / "config" / "opstui" / "profiles"
    folder.mkdir(parents=True, mode=0o700)
    return folder


@pytest.fixture
def write(search_path: Path) -> Write:
    """Write a profile into the person's own folder."""

    def write_one(name: str, text: str) -> Path:
        path = search_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
        return path

    return write_one
