"""Documents that services serve → the numbers a metric asks for. Pure, and slow with long ones: not for the loop."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tui.sources.errors import Unreadable
from tui.sources.metrics.prometheus import labels
from tui.sources.text import clean


def in_json(text: str, path: str) -> float:
    """Return the number that a JMESPath expression finds in a JSON document; true is 1, false is 0.

    Raises:
        Unreadable: it is no JSON, or there is no number.
    """
    import jmespath  # only profiles that read JSON pay for it

    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("the answer is not valid JSON") from None
    try:
        found = jmespath.search(path, document)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise Unreadable(f"{path}: {clean(str(error), limit=200)}", "correct path in the profile") from None
    return _number(found, path)


def _number(found: Any, path: str) -> float:
    if isinstance(found, str):
        try:
            found = float(found)
        except ValueError:
            raise Unreadable(f"{path} is text, {clean(found, limit=60)!r}, not a number") from None
    if isinstance(found, list) and len(found) == 1:
        return _number(found[0], path)
    if not isinstance(found, int | float):
        what = "nothing" if found is None else "a list" if isinstance(found, list) else "a mapping"
        raise Unreadable(f"{path} finds {what}, not a number", "correct path in the profile")
    try:
        return float(found)
    except OverflowError:
        return math.inf


def in_text(text: str, series: str, wanted: Mapping[str, str]) -> dict[str, float]:
    """Return the series of that name and these labels in Prometheus' text format, by their other labels.

    Raises:
        Unreadable: it is not that format.
    """
    found: dict[str, float] = {}
    for one in samples(text):
        if one.name == series and all(one.labels.get(name) == value for name, value in wanted.items()):
            others = {name: value for name, value in one.labels.items() if name not in wanted}
            found[labels(others)] = one.value
    return found


class Sample(NamedTuple):
    """One line of Prometheus' text format; nothing of it is cleaned."""

    name: str
    labels: Mapping[str, str]
    value: float
    help: str


def samples(text: str) -> Iterator[Sample]:
    """Yield every sample of Prometheus' text format, in its order.

    Raises:
        Unreadable: it is not that format.
    """
    from prometheus_client.parser import text_string_to_metric_families  # loads its whole package

    try:
        for family in text_string_to_metric_families(text):
            for one in family.samples:
                yield Sample(one.name, one.labels, float(one.value), family.documentation)
    except (ValueError, KeyError, IndexError, TypeError):
        raise Unreadable("the answer is not in Prometheus' text format") from None
