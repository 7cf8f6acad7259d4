"""What failed is found again by its name, with a group behind it or not."""

import pytest

from tests import once_more


def test_a_name_loses_its_group_and_nothing_else() -> None:
    names = ["a.py::test_x@live", "a.py::test_x", "a.py::test_x[a@b]", "a.py::test_x[a@b]@e2e-work", "a.py"]
    assert once_more.plain_names(names) == [
        "a.py::test_x", "a.py::test_x", "a.py::test_x[a@b]", "a.py::test_x[a@b]", "a.py",
    ]  # fmt: skip


def test_what_fails_but_is_no_test_stays_failed(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert once_more.main() == "no test failed: see above for what did"
