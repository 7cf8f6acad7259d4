"""Secrets of an HTTP request, fetched when they are needed: headers, and an address that is a reference."""

import time
from collections.abc import Mapping
from typing import Final

from profiles.secrets import SecretError, address, resolve
from profiles.values import SecretReference
from tui.sources.errors import Denied
from tui.sources.text import clean

_KEPT_S: Final = 60.0


class SecretHeaders:
    """Headers whose values are references; their values are kept for a minute."""

    def __init__(self, references: Mapping[str, SecretReference]) -> None:
        self._references = references
        self._values: dict[str, str] = {}
        self._until = 0.0

    async def values(self) -> Mapping[str, str]:
        """Return the headers to send.

        Raises:
            Denied: one of them is not where the profile says.
        """
        if time.monotonic() >= self._until:
            try:
                self._values = {name: await resolve(value) for name, value in self._references.items()}
            except SecretError as error:
                raise _missing(error) from None
            self._until = time.monotonic() + _KEPT_S
        return self._values

    def renew(self) -> None:
        """Have them fetched again for the next request: they were refused."""
        self._until = 0.0

    def forget(self) -> None:
        """Forget them."""
        self._values, self._until = {}, 0.0


async def secret_address(url: str) -> str:
    """Return a URL, fetched when the profile gives a reference to it.

    Raises:
        Denied: it is not where the profile says.
    """
    try:
        return await address(url)
    except SecretError as error:
        raise _missing(error) from None


def _missing(error: SecretError) -> Denied:
    return Denied(clean(str(error)), "set it before starting opstui, or correct the profile")
