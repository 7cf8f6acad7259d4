"""What calls itself a secret, or looks like one, in text from outside."""

import time

import pytest

from tui.sources.logs.intake import Intake
from tui.sources.logs.parse import LineParser
from tui.sources.masking import HIDDEN, without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2 user=anna", f"password={HIDDEN} user=anna"),
        ('{"api_key": "abc def", "level": "info"}', f'{{"api_key": {HIDDEN}, "level": "info"}}'),
        ("Authorization: Bearer abc.def", f"Authorization: {HIDDEN}"),
        ("sent Bearer abcdefgh12345678", f"sent Bearer {HIDDEN}"),
        ("postgresql://app:hunter2@db/shop", f"postgresql://app:{HIDDEN}@db/shop"),
        ("GET /cart 200 in 12 ms", "GET /cart 200 in 12 ms"),
    ],
)
def test_secrets_are_taken_out_and_the_rest_stays(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_on_a_shared_screen_lines_enter_without_their_secrets() -> None:
    intake = Intake(shown=without_secrets)
    intake.parse(LineParser("app", "app.log"), ["login failed token=hunter2"], 27)
    (line,) = intake.take()
    assert "hunter2" not in line.raw
    assert "login failed" in line.text


@pytest.mark.parametrize("word", ["x" * 60_000, "a.-" * 20_000, "token" * 12_000, "a@" * 30_000])
def test_one_long_word_takes_no_time_that_anybody_would_feel(word: str) -> None:
    began = time.process_time()
    without_secrets(word)
    assert time.process_time() - began < 5, "its length counts once, not squared"
