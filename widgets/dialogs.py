"""The dialogs under one name."""

from widgets.choose_dialog import Choice, ChooseDialog, InputDialog
from widgets.confirm_dialog import Confirmation, ConfirmDialog, ConfirmMode, TargetState
from widgets.text_dialog import Folded, TextDialog

__all__ = [
    "Choice",
    "ChooseDialog",
    "ConfirmDialog",
    "ConfirmMode",
    "Confirmation",
    "Folded",
    "InputDialog",
    "TargetState",
    "TextDialog",
]
