"""Quantities as metrics servers write them, thousands at once."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.kubernetes.fields import quantity

_FACTORS = {"n": Decimal("0.000000001"), "Ki": Decimal(1024)}


@given(st.integers(0, 10**25), st.sampled_from(sorted(_FACTORS)))
def test_what_was_measured_is_read_to_the_last_bit(number: int, suffix: str) -> None:
    assert quantity({"used": f"{number}{suffix}"}, "used") == float(Decimal(number) * _FACTORS[suffix])


@pytest.mark.parametrize("written", ["n", "Ki", "i", "\u00b2n", "--1n", "0x1Ki"])
def test_what_only_ends_like_a_measurement_is_none(written: str) -> None:
    assert quantity({"used": written}, "used") is None


@pytest.mark.parametrize(
    ("written", "amount"),
    [("-5n", -5e-9), (" 7Ki ", 7168.0), ("1.5Ki", 1536.0), ("2e3n", 2e-6), ("12Mi", 12 * 2.0**20)],
)
def test_what_is_written_otherwise_is_read_too(written: str, amount: float) -> None:
    assert quantity({"used": written}, "used") == amount
