"""A format as JSON Schema, its fields described by their docstrings: for editors, messages and the manual."""

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel


def described(model: type[BaseModel], files: Iterable[Path], title: str) -> dict[str, Any]:
    """Return a model's JSON Schema with the docstring below each field as its description.

    Args:
        model: the format.
        files: the source files in which the model and what it is made of are written.
        title: what the schema is called.
    """
    schema = model.model_json_schema()
    # Read from the source here and not by pydantic at every start, which would cost a tenth of the first frame.
    manual = _field_docstrings(files)
    for name, form in {model.__name__: schema, **schema.get("$defs", {})}.items():
        for field, text in manual.get(name, {}).items():
            key = field.removesuffix("_")
            if key in form.get("properties", {}):
                form["properties"][key]["description"] = text
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def _field_docstrings(files: Iterable[Path]) -> dict[str, dict[str, str]]:
    """Return class → field → the docstring below the field."""
    manual: dict[str, dict[str, str]] = {}
    for node in (node for file in files for node in ast.parse(file.read_text(encoding="utf-8")).body):
        if not isinstance(node, ast.ClassDef):
            continue
        fields = manual.setdefault(node.name, {})
        for field, text in zip(node.body, node.body[1:], strict=False):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(docstring))),
                ):
                    fields[name] = " ".join(docstring.split())
                case _:
                    continue
    return manual
