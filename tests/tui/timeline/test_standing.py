"""What lasts: conditions in, beginnings and ends out."""

from dataclasses import replace

from tui.rules import Level
from tui.timeline.entry import BEGUN, OVER, Entry
from tui.timeline.standing import Condition, Standing

SOURCE = "redis:cache"
LINK = Condition("link", "link", "the link is down", "the link is up again", Level.CRITICAL, "server")


def told(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(entry.stage, entry.text) for entry in entries]


def turn(standing: Standing, now: float, *conditions: Condition, recent: float | None = None) -> list[Entry]:
    return list(standing.turn(SOURCE, conditions, now, recent=recent))


def test_a_beginning_and_an_end_are_told_once_with_how_long_it_was() -> None:
    standing = Standing()
    assert told(turn(standing, 100, LINK)) == [(BEGUN, "the link is down")]
    assert turn(standing, 102, LINK) == []
    assert told(turn(standing, 141)) == [(OVER, "the link is up again, after 41s")]
    assert turn(standing, 143) == []


def test_it_began_when_the_system_says_so() -> None:
    (begun,) = turn(Standing(), 100, replace(LINK, since=70.0))
    assert begun.at == 70.0


def test_at_the_first_look_only_what_says_itself_to_be_recent_is_told() -> None:
    old, new, silent = (replace(LINK, key=key, since=since) for key, since in (("a", 10.0), ("b", 90.0), ("c", None)))
    standing = Standing()
    assert [entry.fold for entry in turn(standing, 100, old, new, silent, recent=50.0)] == ["b"]
    ends = {entry.fold: entry.text for entry in turn(standing, 160)}
    assert ends == {
        "a": "the link is up again, after 2m30s",
        "b": "the link is up again, after 1m10s",
        "c": "the link is up again",
    }


def test_a_new_level_is_a_new_beginning() -> None:
    standing = Standing()
    turn(standing, 100, replace(LINK, level=Level.WARN))
    (worse,) = turn(standing, 102, LINK)
    assert (worse.level, worse.at) == (Level.CRITICAL, 102)
    assert told(turn(standing, 110)) == [(OVER, "the link is up again, after 10s")]


def test_the_row_is_told_anew_when_twice_as_many_are_affected() -> None:
    standing = Standing()
    (first,) = turn(standing, 100, replace(LINK, text="3 wait", weight=3))
    assert turn(standing, 101, replace(LINK, text="5 wait", weight=5)) == []
    (grown,) = turn(standing, 102, replace(LINK, text="7 wait", weight=7))
    assert (grown.id, grown.at, grown.text) == (first.id, 100, "7 wait")
    assert turn(standing, 103, replace(LINK, text="2 wait", weight=2)) == []


def test_what_flickers_is_over_only_when_it_has_settled() -> None:
    evictions, standing = replace(LINK, settle_s=30.0), Standing()
    turn(standing, 100, evictions)
    assert turn(standing, 110) == []
    assert turn(standing, 120, evictions) == []
    assert turn(standing, 130) == []
    assert list(standing.settle(SOURCE, 159)) == []
    (over,) = standing.settle(SOURCE, 160)
    assert (over.at, over.text) == (130, "the link is up again, after 30s")


def test_keys_that_stand_apart_are_left_alone_by_a_turn() -> None:
    standing = Standing()
    alert = replace(LINK, key="alert memory_percent ")
    list(standing.put(SOURCE, alert, 100))
    assert list(standing.turn(SOURCE, [], 101, besides=("alert ",))) == []
    assert standing.stands(SOURCE, alert.key)


def test_another_source_is_another_matter() -> None:
    standing = Standing()
    turn(standing, 100, LINK)
    assert list(standing.turn("redis:queue", [], 101)) == []
    assert standing.stands(SOURCE, "link")


def resumed() -> Standing:
    (begun,) = turn(Standing(), 100, LINK)
    standing = Standing()
    standing.resume(begun)
    return standing


def test_what_an_earlier_opstui_saw_begin_goes_on_without_being_told_again() -> None:
    standing = resumed()
    assert turn(standing, 500, LINK, recent=450.0) == []
    assert told(turn(standing, 520)) == [(OVER, "the link is up again, after 7m")]


def test_what_an_earlier_opstui_saw_begin_and_is_no_more_ended_while_nobody_looked() -> None:
    assert told(turn(resumed(), 500, recent=450.0)) == [(OVER, "ended while nobody looked: the link is down")]


def test_an_end_on_record_ends_it() -> None:
    standing = resumed()
    (over,) = turn(standing, 120)
    again = Standing()
    again.resume(over)
    assert not again.stands(SOURCE, "link")


def test_an_alert_of_an_earlier_opstui_has_a_minute_to_be_up_again() -> None:
    standing = resumed()
    standing.doubt(SOURCE, "link", 500)
    assert list(standing.settle(SOURCE, 559)) == []
    assert [entry.stage for entry in standing.settle(SOURCE, 560)] == [OVER]
    standing = resumed()
    standing.doubt(SOURCE, "link", 500)
    assert list(standing.put(SOURCE, LINK, 530)) == []
    assert list(standing.settle(SOURCE, 600)) == []


def test_two_opstui_that_see_the_same_occurrence_call_it_the_same() -> None:
    named = replace(LINK, identity="812@12:00", since=95.0)
    (one,) = turn(Standing(), 100, named)
    (other,) = turn(Standing(), 103, named)
    assert one.id == other.id
