"""Health documents of every shape: text in, state out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.health import MAX_COMPONENTS, State, parse
from tui.sources.text import clean


def judge(document: Any, status_code: int = 200) -> Any:
    return parse(status_code, "application/json", json.dumps(document))


@pytest.mark.parametrize("word", ["ok", "UP", "Healthy", "pass", "passing", "OK", "true"])
def test_a_good_word_is_ok(word: str) -> None:
    assert judge({"status": word}).state is State.OK


@pytest.mark.parametrize("word", ["degraded", "WARN", "warning", "OUT_OF_SERVICE", "out of service"])
def test_a_200_whose_body_says_degraded_is_degraded(word: str) -> None:
    found = judge({"status": word})
    assert (found.state, found.status) == (State.DEGRADED, word)
    assert word in found.reason


def test_a_200_whose_body_says_down_is_down() -> None:
    assert judge({"status": "DOWN"}).state is State.DOWN


def test_a_503_is_down_whatever_its_body_says() -> None:
    found = judge({"status": "UP", "components": {"db": {"status": "UP"}}}, 503)
    assert (found.state, found.reason) == (State.DOWN, "HTTP 503")
    assert [part.name for part in found.components] == ["db"]


def test_components_of_actuator_keep_their_own_details() -> None:
    found = judge(
        {
            "status": "UP",
            "components": {"db": {"status": "UP", "details": {"database": "PostgreSQL", "pool": {"max": 9}}}},
        }
    )
    (db,) = found.components
    assert (db.name, db.status, db.details) == ("db", "UP", (("database", "PostgreSQL"), ("pool.max", "9")))


def test_a_broken_component_degrades_a_service_that_calls_itself_up() -> None:
    found = judge(
        {"status": "UP", "components": {"db": {"status": "DOWN", "details": {"error": "refused"}}, "a": "UP"}}
    )
    assert (found.state, found.reason) == (State.DEGRADED, "db DOWN")
    assert found.components[0].message == "refused"


def test_nested_components_are_named_by_their_path() -> None:
    document = {"status": "UP", "components": {"db": {"status": "UP", "components": {"replica": {"status": "DOWN"}}}}}
    assert [(part.name, part.state) for part in judge(document).components] == [
        ("db", State.OK),
        ("db.replica", State.DOWN),
    ]


def test_checks_may_be_a_mapping_of_words() -> None:
    found = judge({"status": "degraded", "checks": {"database": "degraded", "cache": True, "queue": False}})
    assert [part.state for part in found.components] == [State.DEGRADED, State.OK, State.DOWN]


def test_checks_may_be_a_list_with_names() -> None:
    found = judge(
        {"status": "UP", "checks": [{"name": "live", "status": "UP", "data": {"threads": 4}}, {"status": "DOWN"}]}
    )
    assert [(part.name, part.status, part.details) for part in found.components] == [
        ("live", "UP", (("threads", "4"),)),
        ("2", "DOWN", ()),
    ]


def test_health_json_of_the_internet_draft_is_read() -> None:
    checks = {
        "db:responseTime": [{"status": "warn", "observedValue": 250}],
        "cpu": [{"status": "pass"}, {"status": "fail"}],
    }
    found = parse(200, "application/health+json", json.dumps({"status": "pass", "version": "3", "checks": checks}))
    assert [(part.name, part.state) for part in found.components] == [
        ("db:responseTime", State.DEGRADED),
        ("cpu.1", State.OK),
        ("cpu.2", State.DOWN),
    ]
    assert found.version == "3"


def test_a_flat_mapping_of_words_is_its_components() -> None:
    found = judge({"database": "ok", "cache": "down", "build": "7f3a"})
    assert (found.state, [part.name for part in found.components]) == (State.DEGRADED, ["database", "cache"])


def test_checks_of_a_kubernetes_component_are_read_from_plain_text() -> None:
    found = parse(500, "text/plain", "[+]ping ok\n[-]etcd failed: reason withheld\nhealthz check failed")
    assert [(part.name, part.state) for part in found.components] == [("ping", State.OK), ("etcd", State.DOWN)]


@pytest.mark.parametrize(
    ("body", "state"), [("ok\n", State.OK), ("<html>hi</html>", State.OK), ("", State.OK), ("DOWN", State.DOWN)]
)
def test_plain_text_counts_when_it_is_one_known_word(body: str, state: State) -> None:
    assert parse(200, "text/plain", body).state is state


def test_broken_json_is_degraded_and_says_so() -> None:
    assert parse(200, "application/json", "{oops").reason == "the body is not valid JSON"


def test_an_unknown_word_is_not_taken_for_good() -> None:
    found = judge({"status": "banana"})
    assert (found.state, found.reason) == (State.DEGRADED, "says banana, a word opstui does not know")


def test_a_component_of_unknown_state_does_not_degrade_the_service() -> None:
    assert judge({"status": "UP", "components": {"discovery": {"status": "UNKNOWN"}}}).state is State.OK


@pytest.mark.parametrize(
    ("code", "state"),
    [(204, State.OK), (302, State.DEGRADED), (429, State.DEGRADED), (404, State.DOWN), (401, State.DOWN)],
)
def test_a_status_code_alone_has_a_meaning(code: int, state: State) -> None:
    assert parse(code, "", "").state is state


def test_the_number_of_components_is_bounded() -> None:
    assert len(judge({"checks": {str(i): "ok" for i in range(5000)}}).components) == MAX_COMPONENTS


def test_deep_nesting_is_survived() -> None:
    assert parse(200, "application/json", '{"checks":' * 5000).state is State.DEGRADED


def test_words_and_names_are_cleaned() -> None:
    (part,) = judge({"checks": {"\x1b]0;x\x07": {"status": "down", "error": "\x1b[2J"}}}).components
    assert part.name == clean(part.name)
    assert part.message == clean(part.message) == "␛[2J"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.sampled_from(["up", "down", "x\x1b[0m", "name", "status"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["status", "checks", "components", "details", "name", "error", "a"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(_JSON, st.sampled_from([200, 302, 429, 503]))
def test_no_document_makes_it_raise_or_lets_a_control_character_through(document: Any, code: int) -> None:
    found = parse(code, "application/json", json.dumps(document))
    shown = [
        found.status,
        found.reason,
        *(text for part in found.components for text in (part.name, part.status, part.message)),
    ]
    assert all(text == clean(text) for text in shown)


@given(st.text(max_size=80))
def test_no_text_makes_it_raise(body: str) -> None:
    assert (found := parse(200, "", body)).status == clean(found.status)
