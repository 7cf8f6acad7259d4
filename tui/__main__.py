"""`python -m tui` is `opstui`."""

from tui.cli import main

main()
