"""Changes of a PostgreSQL server's sessions."""
