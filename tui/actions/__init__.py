"""Changes: one file per backing system, one guard, one life of an action."""
