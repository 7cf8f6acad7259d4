"""GET of a profile's URL with its headers; secrets are fetched when they are needed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from profiles.values import SecretReference
from tui.sources.errors import Unreachable, Unreadable
from tui.sources.http_request import NoAnswer, get, open_client
from tui.sources.http_secrets import SecretHeaders, secret_address
from tui.sources.http_shown import shown_url

if TYPE_CHECKING:
    import httpx

MOST_BYTES: Final = 8 * 2**20
"""What an answer may hold; exporters of large systems serve several MiB."""


class Web:
    """One address that is asked again and again."""

    def __init__(self, url: str, headers: Mapping[str, SecretReference], ca_file: str | None, timeout_s: float) -> None:
        self._url, self._ca_file, self._timeout_s = url, ca_file, timeout_s
        self._headers = SecretHeaders(headers)
        self._client: httpx.AsyncClient | None = None
        self.shown = shown_url(url, url)
        """The address fit for a screen: the reference when it is one, without secrets."""

    async def address(self) -> str:
        """Return the URL, fetched when the profile gives a reference to it.

        Raises:
            Denied: it is not where the profile says.
        """
        return await secret_address(self._url)

    async def get(self, url: str) -> tuple[int, bytes]:
        """Return status code and body.

        Raises:
            Unreachable: there was no answer.
            Denied: a header's secret is not there.
            Unreadable: the URL, a header or the CA bundle cannot be used, or the answer is longer than `MOST_BYTES`.
        """
        headers = await self._headers.values()
        if self._client is None:
            try:
                self._client = await open_client(url, self._ca_file, self._timeout_s)
            except ValueError:
                raise Unreadable("the URL cannot be used", "correct it in the profile") from None
        try:
            answer = await get(self._client, url, headers, self._timeout_s, most=MOST_BYTES)
        except NoAnswer as error:
            raise Unreachable(str(error)) from None
        if answer.status_code in (401, 403):
            self._headers.renew()  # a token may have been renewed
        if answer.is_cut:
            raise Unreadable(f"the answer is longer than {MOST_BYTES // 2**20} MiB", "ask for less")
        return answer.status_code, answer.body

    async def close(self) -> None:
        """Close the connection and forget the secrets."""
        self._headers.forget()
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
