"""Settings: rows of pg_settings in, rows of the table out, and no secret on the way."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.panes.test_database import PILEUP, PaneApp, until
from tui.panes.database_settings import settings_page, settings_rows, settings_words
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.postgres.settings import HIDDEN, settings, shown
from tui.sources.postgres.view_facts import ViewFacts
from widgets.cell import cell_text
from widgets.dialogs import TextDialog

ROW: dict[str, Any] = {
    "name": "work_mem", "setting": "65536", "unit": "kB", "source": "configuration file",
    "sourcefile": "/etc/pg.conf", "sourceline": 7, "pending_restart": False, "context": "user", "boot_val": "4096",
    "category": "Memory", "short_desc": "Memory of a sort.", "may_read_all": True,
}  # fmt: skip


def with_settings(*rows: dict[str, Any]) -> DatabaseSnapshot:
    return replace(PILEUP, views=ViewFacts(settings=settings([{**ROW, **row} for row in rows])))


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        ("65536", "kB", "64MB"), ("16384", "8kB", "128MB"), ("1", "MB", "1MB"), ("1000", "8kB", "8000kB"),
        ("300", "s", "5min"), ("1500", "ms", "1500ms"), ("1440", "min", "1d"), ("-1", "kB", "-1"), ("0", "ms", "0"),
        ("on", None, "on"), ("4", None, "4"), ("0.5", "ms", "0.5"),
    ],
)  # fmt: skip
def test_a_value_is_told_as_it_would_stand_in_the_file(value: str, unit: str | None, words: str) -> None:
    assert shown("any", value, unit) == words


@pytest.mark.parametrize(
    "name",
    ["primary_conninfo", "ssl_passphrase_command", "app.jwt_secret", "app.api_key", "vault.token", "my.Password"],
)
def test_what_may_be_a_secret_by_its_name_is_hidden(name: str) -> None:
    assert shown(name, "hunter2", None) == HIDDEN
    assert shown(name, "", None) == ""


@pytest.mark.parametrize("command", ["curl -u bob:hunter2 %p", "curl --token hunter2", "PGPASSWORD=hunter2 cp %p"])
def test_of_a_command_only_what_is_run_is_told(command: str) -> None:
    assert "hunter2" not in shown("archive_command", command, None)
    assert shown("restore_command", "cp /archive/%f %p", None) == f"cp {HIDDEN}"


def test_what_only_sounds_like_a_secret_stays() -> None:
    assert shown("ssl_key_file", "/etc/ssl/server.key", None) == "/etc/ssl/server.key"
    assert shown("password_encryption", "scram-sha-256", None) == "scram-sha-256"


@given(st.text(min_size=8, alphabet="abcdefgh0123456789"), st.sampled_from(["password", "passwd", "pwd"]))
def test_a_password_of_a_connection_string_never_shows(secret: str, word: str) -> None:
    assert secret not in shown("my.setting", f"psql 'host=h {word}={secret} user=u'", None)


def test_what_waits_for_a_restart_stands_first_and_is_counted() -> None:
    found = with_settings({}, {"name": "shared_buffers", "pending_restart": True, "context": "postmaster"})
    rows = settings_rows(found, lambda *_: "")
    assert list(rows) == ["shared_buffers", "work_mem"]
    assert [cell_text(cell) for cell in rows["shared_buffers"].cells][-2:] == ["restart", "PENDING RESTART"]
    assert settings_words(found) == "1 pending restart"
    page = settings_page(found, "work_mem")
    assert page is not None
    assert "/etc/pg.conf:7" in page[1]
    assert settings_page(found, "gone") is None


def test_a_role_that_may_not_see_all_is_known() -> None:
    found = with_settings({"may_read_all": False}).views.settings
    assert found is not None
    assert not found.may_read_all


async def test_settings_are_filtered_by_what_they_are_about_and_opened() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(with_settings({}, {"name": "port", "category": "Connections", "short_desc": "TCP port."}))
        app.pane.open_at("settings", "", "")
        await pilot.press("slash", *"sort", "enter")
        await until(pilot, lambda: app.table("settings").visible_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
