"""Changes of a Redis or Valkey server: its clients, its settings."""
