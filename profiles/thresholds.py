"""When a number is too high, or too low."""

from typing import Annotated

from pydantic import Field, model_validator

from profiles.values import Duration, Strict


class Rule(Strict):
    """When a number is too high (or, with critical below warn, too low)."""

    warn: float | None = None
    """From this value on: warning."""
    critical: float | None = None
    """From this value on: critical."""
    for_: Annotated[Duration, Field(alias="for")] = 0.0
    """How long it must hold before it is an alert."""
    clear: float | None = None
    """The value it must come back to before the alert ends or its level falls; the threshold itself when left out."""
    only: list[str] = Field(default_factory=list)
    """Names of the systems (as in this profile) it holds for; all of the kind when empty."""

    @property
    def is_floor(self) -> bool:
        """Whether small values are the bad ones."""
        return self.warn is not None and self.critical is not None and self.critical < self.warn

    @model_validator(mode="after")
    def _has_a_threshold(self) -> "Rule":
        if self.warn is None and self.critical is None:
            raise ValueError("a rule needs warn, critical or both")
        return self
