"""What an HTTP answer's `Date` says of the clock of who answered."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def clock_offset(headers: Mapping[str, str], now: float) -> float | None:
    """Return by how many seconds the clock of who answered is ahead of `now`; None when its `Date` does not tell.

    `Date` is cut to whole seconds, so half of one is added. What a cache kept (`Age`) has the time of then.

    Args:
        headers: of the answer, by lower-case name.
        now: `time.time()` when it was made, as far as we know.
    """
    if "age" in headers or (told := headers.get("date")) is None:
        return None
    try:
        return parsedate_to_datetime(told).timestamp() + 0.5 - now
    except (ValueError, OverflowError):
        return None
