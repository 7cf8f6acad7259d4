"""PostgreSQL: one quiet connection per database, read once per tick, and the facts it gives."""

from tui.sources.postgres.source import PostgresSource as PostgresSource
