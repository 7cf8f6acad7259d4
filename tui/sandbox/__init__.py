"""The embedded stack behind `--profile demo` and the tests."""
