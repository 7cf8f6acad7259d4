"""What the services say about themselves."""

import pytest

from tui.sandbox.services import shop_services


def test_a_calm_day_has_five_good_services_and_a_degraded_search() -> None:
    answers = {name: service.document() for name, service in shop_services().items()}
    assert {name: document["status"] for name, (_, document) in answers.items()} == {
        "gateway": "healthy",
        "api": "UP",
        "orders": "UP",
        "payments": "UP",
        "search": "degraded",
        "auth": "healthy",
    }
    assert {status for status, _ in answers.values()} == {200}


@pytest.mark.parametrize(("name", "word", "shown"), [("api", "unhealthy", "DOWN"), ("auth", "DOWN", "unhealthy")])
def test_a_status_is_shown_in_the_words_of_the_shape(name: str, word: str, shown: str) -> None:
    service = shop_services()[name]
    service.set("redis", word)
    status, document = service.document()
    assert (status, document["status"]) == (503, shown)


def test_an_unknown_status_is_shown_as_it_is_and_counts_as_down() -> None:
    service = shop_services()["api"]
    service.set("db", "on fire")
    status, document = service.document()
    assert status == 503
    assert document["components"]["db"]["status"] == "on fire"  # type: ignore[index]  # a JSON document


def test_an_added_component_goes_with_an_empty_status() -> None:
    service = shop_services()["api"]
    before = service.document()
    service.set("probe-8f3a", "DOWN")
    assert "probe-8f3a" in str(service.document())
    service.set("probe-8f3a", "")
    assert service.document() == before


def test_what_the_load_saw_is_not_hidden_by_what_was_set() -> None:
    service = shop_services()["orders"]
    service.components["db"].observed = "bad"
    service.set("db", "UP")
    assert service.document()[0] == 503


def test_search_answers_200_even_when_it_is_unhealthy() -> None:
    service = shop_services()["search"]
    service.set("index", "DOWN")
    status, document = service.document()
    assert (status, document["status"]) == (200, "unhealthy")
