"""Points in time as people type them on the command line."""

from datetime import UTC, datetime

from profiles.values import seconds


def since(typed: str, now: float) -> float:
    """Return the `time.time()` that a person means: a duration back from now (`90m`), or an ISO time (UTC by default).

    Raises:
        ValueError: it is neither, or not in the past; the message says what is.
    """
    try:
        return max(0.0, now - seconds(typed))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(typed.strip())
    except ValueError:
        words = "a duration (90s, 90m, 12h, 2d) nor an ISO time (2026-08-22T14:05Z)"
        raise ValueError(f"{typed!r} is neither {words}") from None
    at = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    if at > now:
        raise ValueError(f"{typed!r} is in the future (times without a zone are UTC)")
    return at
