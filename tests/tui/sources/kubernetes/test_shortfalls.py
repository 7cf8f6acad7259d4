"""What cannot be seen is said once, however many kinds it is true of."""

from tui.sources.errors import Denied, Unreachable
from tui.sources.kubernetes.shortfalls import shortfalls
from tui.sources.kubernetes.snapshot import KindHealth

NO = Denied("forbidden by RBAC")
FIVE = ("batch", "default", "payments", "platform", "shop")


def _health(kind: str, failing: tuple[str, ...], scopes: int = 5) -> KindHealth:
    return KindHealth(kind, is_synced=True, error=NO if failing else None, failing=failing, scopes=scopes)


def test_the_namespaces_are_counted_and_named_while_they_are_few() -> None:
    assert shortfalls([_health("pods", FIVE[:2])]) == ("pods: 2 of 5 namespaces forbidden (batch, default)",)
    assert shortfalls([_health("pods", FIVE[:4])]) == ("pods: 4 of 5 namespaces forbidden",)


def test_kinds_of_which_the_same_is_so_are_one_sentence() -> None:
    kinds = ("pods", "deployments", "jobs", "events")
    assert shortfalls([_health(kind, FIVE[:4]) for kind in kinds[:3]]) == (
        "pods, deployments, jobs: 4 of 5 namespaces forbidden",
    )
    told = shortfalls([*(_health(kind, FIVE[:4]) for kind in kinds), KindHealth("nodes", is_synced=True, error=NO)])
    assert told == ("pods and 3 other kinds: 4 of 5 namespaces forbidden", "nodes: forbidden")


def test_what_can_be_seen_is_not_mentioned_and_what_fails_otherwise_says_how() -> None:
    broken = KindHealth("events", is_synced=True, error=Unreachable("cut off"))
    told = shortfalls([_health("pods", ()), broken, KindHealth("jobs", is_synced=False)])
    assert told == ("events: cut off", "jobs: loading")
