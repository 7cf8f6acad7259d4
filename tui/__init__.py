"""The opstui application: sources, actions, panes and the app that wires them."""

__version__ = "0.1.0"
