"""Verbs for systemd units."""
