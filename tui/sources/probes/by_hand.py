"""What a probe does, as a command that a colleague could paste. Pure."""

import json
import shlex

from profiles.systems import Service
from profiles.values import Command, SecretReference
from tui.sources.http_shown import shown_url
from tui.sources.masking import without_secrets
from tui.sources.text import clean


def curl(entry: Service, name: str) -> str:
    """Return the curl line that sends the same; secrets stand in it as references that the shell resolves."""
    probe = entry.probes[name]
    words = ["curl", "-sS", "-i", "-X", probe.method, "--max-time", f"{probe.timeout:g}"]
    for header, reference in probe.headers.items():
        words += ["-H", f'"{header}: {shell(reference)}"']
    if probe.cors is not None:
        words += ["-H", shlex.quote(f"Origin: {probe.cors.origin}")]
        words += ["-H", shlex.quote(f"Access-Control-Request-Method: {probe.cors.method}")]
        if probe.cors.ask:
            words += ["-H", shlex.quote(f"Access-Control-Request-Headers: {', '.join(probe.cors.ask)}")]
    if probe.login:
        words += ["-H", '"Authorization: Bearer $TOKEN"']
    if probe.json_ is not None:
        words += ["--json", shlex.quote(without_secrets(json.dumps(probe.json_, ensure_ascii=False)))]
    if entry.url.startswith(("env:", "file:")):
        words.append(f'"$(printf %s "{shell(entry.url)}" | cut -d/ -f1-3)"{shlex.quote(probe.path)}')
    else:
        words.append(shlex.quote(shown_url("", "/".join(entry.url.split("/")[:3]) + probe.path)))
    return clean(" ".join(words))


def shell(reference: SecretReference) -> str:
    """Return what a shell puts in the place of a reference."""
    if isinstance(reference, Command):
        return f"$({shlex.join(reference.command)})"
    kind, _, place = reference.partition(":")
    return f"${place}" if kind == "env" else f"$(cat {shlex.quote(place)})"
