"""Checklists and runbooks: one engine, for the screen and without it."""
