"""What can go wrong with the sandbox, in words for the person who asked for it."""


class SandboxError(Exception):
    """The sandbox cannot start or do what was asked; the text says what to do about it."""
