"""The command line's first steps, before anything heavy is imported.

`--version` and `--reset-terminal` are answered here: the first because it must be quick, the second because a
person with a broken terminal types blindly, and perhaps with a broken installation too.
"""

import gc
import importlib.util
import os
import sys


def main() -> None:
    """Run `opstui` with the arguments of this process; never returns."""
    if foreign := _foreign_package():
        sys.exit(f"opstui: {foreign}")
    match sys.argv[1:]:
        case ["--version"]:
            from tui import __version__

            print(f"opstui {__version__}")  # noqa: T201 -- the answer
            sys.exit(0)
        case ["--reset-terminal"]:
            from tui.cli.reset import reset_terminal

            sys.exit(reset_terminal())
    # Until the screen stands nothing becomes garbage, and looking for some is a tenth of the start.
    gc.disable()
    # Looking for plugins of pydantic, of which we use none, would read every installed package's metadata.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from tui.cli.check_commands import check
        from tui.cli.commands import opstui
        from tui.cli.walk_commands import walk

        opstui.add_command(check)
        opstui.add_command(walk)
        opstui(prog_name="opstui")
    except KeyboardInterrupt:  # before click could take care of it
        sys.exit(128 + 2)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "tui", "widgets", "profiles"):
            raise
        sys.exit(f"opstui: its library {missing!r} is not installed; install opstui again with pipx or `uv tool`")


def _foreign_package() -> str:
    """Return what is wrong when another project's package would be imported in place of ours; empty when all is well.

    The names `tui`, `widgets` and `profiles` are generic: a PYTHONPATH, or `python -m tui` inside another project,
    can put others of the same names before them.
    """
    home = _folder_of(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    for name in ("widgets", "profiles"):
        spec = importlib.util.find_spec(name)
        places = [*(spec.submodule_search_locations or ()), spec.origin] if spec else []
        if not places:
            return f"its package {name!r} is missing beside {home}/tui; install opstui again"
        if places[0] is None or _folder_of(places[0]) != home:
            return (
                f"another package named {name!r} is first on sys.path ({spec.origin if spec else ''}); "
                "unset PYTHONPATH, or install opstui with pipx or `uv tool`"
            )
    return ""


def _folder_of(path: str) -> str:
    return os.path.dirname(os.path.realpath(path))
