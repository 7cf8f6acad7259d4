"""Totals by prefix from a part of the keys: inside the stated range, whatever the sizes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.skewed_keys import Key, lies_inside, skewed, totals
from tui.sources.redis_estimate import share_range
from tui.sources.redis_space import (
    OTHER,
    PREFIXES_KEPT,
    ROWS,
    Sample,
    Space,
    prefix_of,
    shown,
)
from tui.sources.text import clean


@pytest.mark.parametrize(
    ("key", "levels", "prefix"),
    [
        (b"user:17:cart", 1, b"user:"),
        (b"user:17:cart", 2, b"user:*:"),
        (b"user:cart:17", 2, b"user:cart:"),
        (b"user:17", 2, b"user:*"),
        (b"17:user", 1, b"*:"),
        (b"shop.cart.9", 1, b"shop."),
        (b"a/b.c", 1, b"a/b."),
        (b"cart|9", 1, b"cart|"),
        (b"session_4711", 1, b"session_*"),
        (b"deadbeef01234567", 1, b"*"),
        (b"3f2504e0-4f89-11d3-9a0c-0305e82c3301:x", 1, b"*:"),
        (b"{user1000}.following", 1, b"{user*}."),
        (b"plain", 2, b"plain"),
        (b"", 1, b""),
        (b":", 2, b":"),
    ],
)
def test_a_name_is_cut_at_its_first_separator_and_identifiers_count_as_one(
    key: bytes, levels: int, prefix: bytes
) -> None:
    assert prefix_of(key, levels) == prefix


@given(st.binary(max_size=40), st.integers(1, 2))
def test_any_name_has_a_prefix_and_can_be_shown_on_one_harmless_line(key: bytes, levels: int) -> None:
    for name in (shown(prefix_of(key, levels)), shown(key)):
        assert clean(name) == name
        assert "\x1b" not in name


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 5000))
def test_a_range_holds_its_estimate_and_never_less_than_what_was_seen(hits: int, more: int, unseen: int) -> None:
    seen, total = hits + more, hits + more + unseen
    found = share_range(hits, seen, total, 0.001)
    assert hits <= found.low <= found.likely + 1e-6
    assert found.likely <= found.high + 1e-6 <= hits + unseen + 1e-3
    assert found.is_exact is (unseen == 0)


@pytest.mark.parametrize("seen", [30, 300, 1500, 2900])
def test_the_stated_doubt_of_a_count_is_kept(seen: int) -> None:
    chance, total, hits = random.Random(seen), 3000, 90
    found = [share_range(sum(one < hits for one in chance.sample(range(total), seen)), seen, total, 0.05)
             for _ in range(300)]  # fmt: skip
    outside = sum(not one.low <= hits <= one.high for one in found)
    assert outside <= 0.05 * 300


def sampled(keys: list[Key], seen: int, held: float | None) -> Space:
    sample = Sample()
    for key, size in keys[:seen]:
        sample.add(key, size, "string", None)
    return sample.space(len(keys), is_complete=seen == len(keys), held_bytes=held)


@pytest.mark.parametrize("seen", [100, 800, 3000])
def test_on_100_skewed_data_sets_the_true_totals_lie_inside_the_stated_error_in_at_least_95(seen: int) -> None:
    right = 0
    for seed in range(100):
        keys = skewed(seed, 4000)
        held = 1.1 * sum(size for _, size in keys)
        right += lies_inside(sampled(keys, seen, held), totals(keys))
    assert right >= 95


def test_a_few_big_keys_that_were_not_seen_yet_are_owned_up_to() -> None:
    keys = [(b"small:%d" % number, 100) for number in range(5000)]
    keys += [(b"big:%d" % number, 10**8) for number in range(5)]
    space = sampled(keys, 2000, sum(size for _, size in keys))
    (small,) = space.prefixes
    assert small.bytes is not None
    assert small.bytes.likely < 10**6
    assert space.unaccounted_bytes is not None
    assert space.unaccounted_bytes > 4.9 * 10**8, "nothing seen explains what the server holds"
    assert small.bytes.high > 4.9 * 10**8, "they may as well have this prefix"


def test_a_walk_that_went_round_is_exact() -> None:
    keys = skewed(7, 3000)
    space = sampled(keys, 3000, None)
    assert space.is_complete
    assert space.unaccounted_bytes == 0
    found = {one.name: (one.keys.likely, one.bytes.likely if one.bytes else None) for one in space.prefixes}
    assert found == totals(keys)
    assert all(one.keys.is_exact and one.bytes is not None and one.bytes.is_exact for one in space.prefixes)


def test_without_knowing_what_the_server_holds_nothing_bounds_a_total() -> None:
    (row,) = sampled([(b"a:%d" % number, 100) for number in range(100)], 50, None).prefixes
    assert row.bytes is not None
    assert row.bytes.high == float("inf")
    assert 5000 < row.bytes.low < row.bytes.likely == 10_000


def test_sizes_that_may_not_be_asked_for_cost_the_bytes_alone() -> None:
    sample = Sample()
    for number in range(30):
        sample.add(b"a:%d" % number, None, "hash", 90.0 if number % 3 else None)
    space = sample.space(100, is_complete=False, held_bytes=None)
    (row,) = space.prefixes
    assert (row.bytes, row.types, row.seen) == (None, (("hash", 30),), 30)
    assert row.expiring_percent == pytest.approx(66.7, abs=0.1)
    assert {one.title: one.seen for one in space.expiries if one.seen} == {"1 m to 10 m": 20, "none: stays": 10}
    assert space.big == ()


def test_the_biggest_of_each_type_are_kept_and_a_key_seen_twice_only_once() -> None:
    sample = Sample()
    for number in range(200):
        sample.add(b"s:%d" % number, number, "string", None)
    sample.add(b"s:199", 199, "string", None)
    sample.add(b"l", 5, "list", None)
    big = sample.space(201, is_complete=True, held_bytes=None).big
    assert [one.key for one in big[:2]] == [b"s:199", b"s:198"]
    assert sum(one.kind == "string" for one in big) == 20
    assert big[-1].key == b"l"


def test_more_prefixes_than_are_kept_or_shown_are_counted_together() -> None:
    sample = Sample()
    for number in range(PREFIXES_KEPT + 50):
        name = "".join(chr(97 + int(digit)) for digit in str(number))
        sample.add(b"%s:x" % name.encode(), 10, "string", None)
    space = sample.space(PREFIXES_KEPT + 50, is_complete=True, held_bytes=None)
    assert len(space.prefixes) == ROWS + 1
    assert space.prefixes[-1].name == OTHER
    assert sum(one.seen for one in space.prefixes) == PREFIXES_KEPT + 50


def test_a_prefix_is_told_apart_at_its_next_level() -> None:
    sample = Sample()
    for number in range(20):
        sample.add(b"user:%d:%s" % (number, b"cart" if number % 2 else b"seen"), 10, "string", None)
        sample.add(b"user:index:%d" % number, 30, "string", None)
    parts = sample.second("user:", 40, is_complete=True, held_bytes=None)
    assert [(one.name, one.keys.likely) for one in parts] == [("user:index:", 20), ("user:*:", 20)]
    assert sample.second("nobody:", 40, is_complete=True, held_bytes=None) == ()
