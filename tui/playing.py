"""The troubles that the sandbox can play, as commands of the palette."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

from textual.app import App

from widgets.cell import Tone


class Scenario(Protocol):
    """A trouble the sandbox can play."""

    @property
    def meaning(self) -> str:
        """What will be seen, and where."""
        ...


class Sandbox(Protocol):
    """What the app may ask of the sandbox it runs on."""

    @property
    def scenarios(self) -> Mapping[str, Scenario]:
        """Every scenario by name."""
        ...

    async def scenario(self, name: str) -> None:
        """Start a scenario by name."""
        ...


class Plays:
    """Begins what the sandbox can play; without a sandbox there is nothing.

    Args:
        app: runs it beside everything else.
        sandbox: what it runs on; None on every real system.
        tell: says a sentence to the person.
    """

    def __init__(self, app: App[Any], sandbox: Sandbox | None, tell: Callable[[str, Tone], None]) -> None:
        self._app, self._sandbox, self._tell = app, sandbox, tell

    def commands(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        """Yield every scenario for the palette: title, what will be seen, and what begins it."""
        if (sandbox := self._sandbox) is not None:
            for name, scenario in sandbox.scenarios.items():
                yield f"Scenario: {name}", scenario.meaning, partial(self._play, sandbox, name)

    def _play(self, sandbox: Sandbox, name: str) -> None:
        self._app.run_worker(sandbox.scenario(name), f"scenario {name}", exit_on_error=False)
        self._tell(f"scenario {name} begins", "")
