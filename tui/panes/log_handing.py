"""Taking lines out of the Logs tab: to the clipboard, into a file, into a pager, onto a page of their own."""

import asyncio
import os
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tui.panes import log_lines
from tui.panes.log_finding import LogFinding
from tui.panes.pager import PagerError, pager
from tui.panes.pager import show as show_in_pager
from tui.sources.logs.fields import fields
from tui.sources.logs.line import LogLine
from widgets.clipboard import write_to_file
from widgets.dialogs import Choice, ChooseDialog, TextDialog
from widgets.log_view import LogView

_AROUND: Final = 2_000
"""Lines before and behind a line in which the rest of its message is looked for."""
_MOST_COPIED: Final = 20_000
"""Lines copied at once: terminals take no more than some hundred KB."""


class LogHanding(LogFinding):
    """What becomes of lines outside the tab."""

    def action_copy(self) -> None:
        """Copy the line under the cursor as it was written; of a message that is folded, all of its lines."""
        if (line := self._view.cursor_line) is None:
            self.post_message(self.Told("no line to copy"))
            return
        lines = [line] if self._view.joins is None else self._message()
        self.copy("\n".join(each.raw for each in lines))

    def action_copy_part(self) -> None:
        """Choose what to copy: a field of the line, its message, the marked lines, or all that is shown."""
        if (line := self._view.cursor_line) is None:
            self.post_message(self.Told("no line to copy"))
            return
        marked = self._view.marked_lines()
        parts = {name: value for name, value in fields(line.raw) if value}
        choices = [Choice(f"field {name}", name, value[:200]) for name, value in parts.items()]
        message, of_marked = self._message(), self._marked_messages()
        if len(message) > 1:
            choices.append(Choice("message", "the whole message", f"{len(message):,} lines"))
        choices.append(Choice("page", "everything about the line", "time, source, fields, message"))
        if marked:
            choices.append(Choice("marked", "the marked lines", f"{len(marked):,} lines"))
        if len(of_marked) > len(marked):
            choices.append(Choice("messages", "the marked lines with their messages", f"{len(of_marked):,} lines"))
        choices.append(Choice("shown", "all that is shown", f"{self._view.visible_count:,} lines"))
        page = log_lines.page(line, message)

        def copy(key: str | None) -> None:
            match (key or "").partition(" "):
                case ("field", _, name):
                    self.copy(parts[name])
                case ("message", _, _):
                    self.copy("\n".join(each.raw for each in message))
                case ("messages", _, _):
                    self.copy("".join(log_lines.written(of_marked)))
                case ("page", _, _):
                    self.copy(page)
                case ("marked", _, _):
                    self.copy("".join(log_lines.written(marked)))
                case ("shown", _, _):
                    self.run_worker(self._copy_newest(), exit_on_error=False)

        self.app.push_screen(ChooseDialog("Copy what?", choices), copy)

    async def _copy_newest(self) -> None:
        lines = self._view.visible_lines()
        self.copy(await asyncio.to_thread(lambda: "".join(log_lines.written(deque(lines, _MOST_COPIED)))))

    def action_pager(self) -> None:
        """Choose what the pager shows: all that is shown here, the marked lines, or everything about one line."""
        if (line := self._view.cursor_line) is None:
            self.post_message(self.Told("no line to show"))
            return
        try:
            command = pager(self.desk.profile, os.environ)
        except PagerError as error:
            self.post_message(self.Told(str(error), "warn"))
            return
        shown, marked, page = self._view.visible_lines(), self._marked_messages(), log_lines.page(line, self._message())
        choices = [Choice("shown", "all that is shown", f"{self._view.visible_count:,} lines")]
        if marked:
            choices.append(Choice("marked", "the marked lines with their messages", f"{len(marked):,} lines"))
        choices.append(Choice("page", "everything about the line", "time, source, fields, message"))
        texts = {"shown": log_lines.written(shown), "marked": log_lines.written(marked), "page": [f"{page}\n"]}

        def open_it(key: str | None) -> None:
            if key is not None:
                self.run_worker(self._page(command, texts[key]), exit_on_error=False)

        self.app.push_screen(ChooseDialog(f"Show what in {os.path.basename(command[0])}?", choices), open_it)

    async def _page(self, command: Sequence[str], text: Iterable[str]) -> None:
        try:
            await show_in_pager(self.app, command, text)
        except PagerError as error:
            self.post_message(self.Told(str(error), "warn"))

    def _message(self) -> list[LogLine]:
        """Return the lines of the message that the cursor is in."""
        return list(self._message_at(number).values()) if (number := self._view.cursor_number) is not None else []

    def _message_at(self, number: int) -> dict[int, LogLine]:
        first, lines = self._view.held(number - _AROUND, 2 * _AROUND)
        return {first + place: lines[place] for place in log_lines.message_of(lines, number - first)}

    def _marked_messages(self) -> list[LogLine]:
        found: dict[int, LogLine] = {}
        for number in self._view.marked_numbers():
            if number not in found:
                found |= self._message_at(number)
        return [found[number] for number in sorted(found)]

    def action_write(self) -> None:
        """Write every line that passes the filters to a new file that only its owner reads."""
        count, lines = self._view.visible_count, self._view.visible_lines()
        if not count:
            self.post_message(self.Told("no lines to write"))
            return

        async def write_and_tell() -> None:
            try:
                path = await asyncio.to_thread(
                    lambda: write_to_file(
                        log_lines.written(lines), Path.cwd(), f"{self.desk.profile.name}-logs", ".log"
                    )
                )
            except OSError as error:
                self.post_message(self.Told(f"not written: {error.strerror or error}", "warn"))
            else:
                self.post_message(self.Told(f"{count:,} lines written to {path}", "ok"))

        self.run_worker(write_and_tell(), exit_on_error=False)

    def on_log_view_opened(self, message: LogView.Opened) -> None:
        """Show a line in full."""
        message.stop()
        self.app.push_screen(TextDialog("Log line", log_lines.page(message.line, self._message()), stem="log-line"))
