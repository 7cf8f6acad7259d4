"""What happened, on disk: the record of everything that was asked for, sent, and seen to have become of it."""

from tui.journal.account import who
from tui.journal.journal import Journal, JournalError, moment_of
from tui.journal.news import News
from tui.journal.tail import Tail

__all__ = ["Journal", "JournalError", "News", "Tail", "moment_of", "who"]
