"""What is taken out of a kubelet's page of metrics, however it comes and whatever stands in it."""

import time
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tui.sources.kubernetes.cadvisor import Group, Page, Place, stretches

WANTED = frozenset({("shop", "api-1")})
PLACE: Place = ("shop", "api-1", "app")
PAGE = b"""\
# HELP container_cpu_cfs_periods_total Number of elapsed enforcement period intervals.
# TYPE container_cpu_cfs_periods_total counter
container_cpu_cfs_periods_total{container="",id="/pod1",image="",name="",namespace="shop",pod="api-1"} 999 1700000000000
container_cpu_cfs_periods_total{container="POD",id="/pod1/pause",namespace="shop",pod="api-1"} 998 1700000000000
container_cpu_cfs_periods_total{container="app",id="/pod1/a",namespace="shop",pod="api-1"} 1.5e+02 1700000000250
container_cpu_cfs_periods_total{container="app",id="/pod2/a",namespace="shop",pod="api-2"} 7 1700000000250
container_cpu_cfs_periods_total{container="app",id="/pod1/a",namespace="other",pod="api-1"} 8 1700000000250
# TYPE container_cpu_cfs_throttled_periods_total counter
container_cpu_cfs_throttled_periods_total{container="app",id="/pod1/a",namespace="shop",pod="api-1"} 30 1700000000250
# TYPE container_cpu_cfs_throttled_seconds_total counter
container_cpu_cfs_throttled_seconds_total{container="app",id="/pod1/a",namespace="shop",pod="api-1"} 1.25 1700000000250
container_memory_cache{container="app",id="/pod1/a",namespace="shop",pod="api-1"} 4096 1700000000250
"""
APP = Group(150.0, 30.0, 1.25, 1_700_000_000.25)


def taken(*chunks: bytes) -> Page:
    page = Page(WANTED)
    for chunk in chunks:
        for stretch in stretches(chunk):
            page.feed(stretch)
    return page


def test_the_account_of_a_wanted_container_is_taken_and_nothing_else() -> None:
    page = taken(PAGE)
    assert page.groups() == {PLACE: {"/pod1/a": APP}}
    assert page.is_metrics


@given(st.lists(st.integers(0, len(PAGE)), max_size=12))
def test_it_does_not_matter_where_the_network_cuts(cuts: list[int]) -> None:
    places: Sequence[int] = [0, *sorted(cuts), len(PAGE)]
    chunks = [PAGE[start:end] for start, end in pairwise(places)]
    assert taken(*chunks).groups() == {PLACE: {"/pod1/a": APP}}


def test_a_page_whose_last_line_lacks_its_end_is_whole() -> None:
    assert taken(PAGE.rstrip(b"\n")).groups() == {PLACE: {"/pod1/a": APP}}


def test_labels_may_hold_what_looks_like_the_end_of_a_line_or_of_a_label() -> None:
    odd = rb'container="app",id="/a\"} 5 6\nx{,}\\",namespace="shop",pod="api-1"'
    page = taken(
        b"container_cpu_cfs_periods_total{%s} 10\ncontainer_cpu_cfs_throttled_periods_total{%s} 4 1\n" % (odd, odd)
    )
    (groups,) = page.groups().values()
    assert groups == {'/a"} 5 6\nx{,}\\': Group(10.0, 4.0, None, None)}


def test_numbers_that_cannot_be_counts_are_not_taken() -> None:
    for value in (b"NaN", b"+Inf", b"-1", b"1e300", b"0x10", b"", b"1 2 3"):
        both = [b'container_cpu_cfs_%s_total{container="app",id="a",namespace="shop",pod="api-1"} ' % name for name in
                (b"periods", b"throttled_periods")]  # fmt: skip
        assert taken(both[0] + b"5\n" + both[1] + value + b"\n").groups() == {}


def test_a_login_page_is_no_page_of_metrics() -> None:
    assert not taken(b"<html>container_cpu_cfs_periods_total, please log in</html>\n").is_metrics


def test_a_line_without_end_is_passed_over_and_not_collected() -> None:
    page = taken(b"# TYPE x\n", *([b"x" * 30_000] * 50), b"\n", PAGE)
    assert page.groups() == {PLACE: {"/pod1/a": APP}}
    assert len(page._rest) < 100_000


def test_groups_without_number_are_not_collected_without_end() -> None:
    line = b'container_cpu_cfs_%s_total{container="app",id="%d",namespace="shop",pod="api-1"} 1\n'
    page = taken(*(line % (name, n) for n in range(8000) for name in (b"periods", b"throttled_periods")))
    assert len(page.groups()[PLACE]) == 5000


@given(st.lists(st.binary(max_size=200) | st.sampled_from(PAGE.splitlines(keepends=True)), max_size=30))
def test_no_page_is_too_odd(chunks: list[bytes]) -> None:
    for place, groups in taken(*chunks).groups().items():
        assert place[:2] in WANTED
        assert all(group.is_whole for group in groups.values())


def test_even_the_worst_stretch_takes_no_longer_than_a_key_may_wait() -> None:
    # CPU time, and ten times what it takes on a calm machine: lines full of labels, and lines that nearly are labels.
    head = b'container_cpu_cfs_periods_total{namespace="shop",pod="api-1",'
    for line in (
        head + b'a="",' * 2500 + b"} 1\n",
        head + b"a" * 15_000 + b"} 1\n",
        head + b'a="\\"' * 3000 + b"} 1\n",
    ):
        page, began = Page(WANTED), time.process_time()
        for stretch in stretches(line * 2):
            page.feed(stretch)
        assert time.process_time() - began < 0.05
