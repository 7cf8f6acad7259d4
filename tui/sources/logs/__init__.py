"""Log lines from files that rotate, programs and pods."""

from tui.sources.logs.line import LogBatch, LogLine, Severity
from tui.sources.logs.source import LogsSource

__all__ = ["LogBatch", "LogLine", "LogsSource", "Severity"]
