"""What can be changed by asking an HTTP service."""
