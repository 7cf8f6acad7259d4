"""PgBouncer's admin console: its pools, who waits in them, and what goes through."""

from tui.sources.pgbouncer.facts import BouncerSnapshot as BouncerSnapshot
from tui.sources.pgbouncer.source import PgBouncerSource as PgBouncerSource
