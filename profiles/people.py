"""What a profile says of people and of the programs that reach them: contacts, hooks, scripts."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from profiles.values import Address, SecretReference, Strict, Timeout


class Contact(Strict):
    """Somebody to call."""

    who: Annotated[str, Field(min_length=1)]
    """Name of a person, a rota or a company."""
    phone: str | None = None
    """Telephone number, as it is dialled."""
    chat: str | None = None
    """Channel or handle."""
    mail: str | None = None
    """Address for mail."""
    url: str | None = None
    """A page: a rota, a ticket form, a status page."""
    when: str | None = None
    """When to call: `first`, `no answer within 15 min`, `anything about payments`."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> "Contact":
        if not any((self.phone, self.chat, self.mail, self.url)):
            raise ValueError("a contact needs phone, chat, mail or url")
        return self


class Script(Strict):
    """A program whose exit code says whether something is well, or one that a person runs as a guarded action."""

    title: str | None = None
    """What the person reads: `Flush the CDN`; its name when left out."""
    command: Annotated[list[str], Field(min_length=1)]
    """Program and arguments; run without a shell and without standard input. Nothing secret may stand in them."""
    changes: bool = False
    """Whether it changes something: then no checklist runs it for its exit code, only a person, as an action."""
    risk: Literal["low", "medium", "high"] = "high"
    """How much can be lost when a person runs it: decides how hard confirming is."""
    timeout: Timeout = 60.0
    """How long it may take."""
    warn_codes: list[Annotated[int, Field(ge=1, le=255)]] = Field(default_factory=list)
    """Exit codes that are a warning; 0 is well, every other one a failure."""


class Hook(Strict):
    """Something that tells others: exactly one of `command` and `url`. In the sandbox none is run."""

    title: str | None = None
    """What the person reads: `Page the database team`; its name when left out."""
    command: Annotated[list[str], Field(min_length=1)] | None = None
    """Program and arguments; run without a shell; the words typed for it come on standard input."""
    url: Address | None = None
    """An `https://` address that the words are sent to, or `env:NAME`, `file:PATH` where it holds a secret."""
    method: Literal["POST", "PUT"] = "POST"
    """HTTP method for `url`."""
    headers: dict[str, SecretReference] = Field(default_factory=dict)
    """Headers for `url`, each a reference."""
    field: Annotated[str, Field(min_length=1)] = "text"
    """Key of the JSON object in which the words are sent to `url`."""
    timeout: Timeout = 15.0
    """How long it may take."""

    @model_validator(mode="after")
    def _exactly_one(self) -> "Hook":
        if (self.command is None) == (self.url is None):
            raise ValueError("give exactly one of command and url")
        if self.url is not None and not self.url.startswith(("https://", "http://", "env:", "file:")):
            raise ValueError("the url must begin with https:// or http://, or be env:NAME or file:PATH")
        return self
