"""GET of a profile's URL with its headers; secrets are fetched when they are needed."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from profiles.secrets import SecretError, address, resolve
from profiles.values import SecretReference
from tui.sources.errors import Denied, Unreachable, Unreadable
from tui.sources.http_request import NoAnswer, get, open_client
from tui.sources.http_shown import shown_url
from tui.sources.text import clean

if TYPE_CHECKING:
    import httpx

MOST_BYTES: Final = 8 * 2**20
"""What an answer may hold; exporters of large systems serve several MiB."""
_SECRETS_KEPT_S: Final = 60.0


class Web:
    """One address that is asked again and again."""

    def __init__(self, url: str, headers: Mapping[str, SecretReference], ca_file: str | None, timeout_s: float) -> None:
        self._url, self._headers, self._ca_file, self._timeout_s = url, headers, ca_file, timeout_s
        self._client: httpx.AsyncClient | None = None
        self._sent: dict[str, str] = {}
        self._sent_until = 0.0
        self.shown = shown_url(url, url)
        """The address fit for a screen: the reference when it is one, without secrets."""

    async def address(self) -> str:
        """Return the URL, fetched when the profile gives a reference to it.

        Raises:
            Denied: it is not where the profile says.
        """
        try:
            return await address(self._url)
        except SecretError as error:
            raise _missing(error) from None

    async def get(self, url: str) -> tuple[int, bytes]:
        """Return status code and body.

        Raises:
            Unreachable: there was no answer.
            Denied: a header's secret is not there.
            Unreadable: the URL, a header or the CA bundle cannot be used, or the answer is longer than `MOST_BYTES`.
        """
        if time.monotonic() >= self._sent_until:
            try:
                self._sent = {name: await resolve(value) for name, value in self._headers.items()}
            except SecretError as error:
                raise _missing(error) from None
            self._sent_until = time.monotonic() + _SECRETS_KEPT_S
        if self._client is None:
            try:
                self._client = await open_client(url, self._ca_file, self._timeout_s)
            except ValueError:
                raise Unreadable("the URL cannot be used", "correct it in the profile") from None
        try:
            answer = await get(self._client, url, self._sent, self._timeout_s, most=MOST_BYTES)
        except NoAnswer as error:
            raise Unreachable(str(error)) from None
        if answer.status_code in (401, 403):
            self._sent_until = 0.0  # a token may have been renewed
        if answer.is_cut:
            raise Unreadable(f"the answer is longer than {MOST_BYTES // 2**20} MiB", "ask for less")
        return answer.status_code, answer.body

    async def close(self) -> None:
        """Close the connection and forget the secrets."""
        self._sent, self._sent_until = {}, 0.0
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _missing(error: SecretError) -> Denied:
    return Denied(clean(str(error)), "set it before starting opstui, or correct the profile")
