"""The opstui application: sources, actions, panes and the app that wires them."""
