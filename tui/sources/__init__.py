"""Facts: one file per backing system, no screen in sight."""
