"""Looks inside a container: they change nothing, yet run a program there, so they are asked for and put on record."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from tui.actions.action import About, NotSentError
from tui.actions.kubernetes.asking import permission
from tui.actions.kubernetes.shell import place_target
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.diagnostics import Findings, Look, diagnose
from tui.sources.kubernetes.exec import Place
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.masking import without_secrets

LOOK_INSIDE: Final = "look-inside"

Record = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Puts a line on record, flushed to disk; raises JournalError."""


class LookInside:
    """A program of a closed list, run in a container: its name, and what is promised of it."""

    name = LOOK_INSIDE
    about = About(
        system="Kubernetes",
        targets="a running container of a pod",
        risk="none is confirmed: cat, df, ps, ls, getent, nslookup, curl or wget, each with fixed arguments, no shell",
        inverse="nothing is changed",
        identity="the pod's uid, read right before",
        window="a pod created again under the name between that look and the start of the program",
        command="kubectl exec POD -c CONTAINER -- PROGRAM",
        verification="the program has ended within 12 s; on record before and after: who, where, what, exit status",
    )


async def look_inside(source: KubernetesSource, record: Record, place: Place, look: Look, subject: str) -> Findings:
    """Look from inside a container, on record before anything runs there and with what ran.

    Raises:
        NotSentError: we may not; nothing ran.
        JournalError: it could not be put on record beforehand, so nothing ran; or afterwards.
        SourceError: nothing was learned; that is on record too.
    """
    if why := await permission(source, "create", KINDS["Pod"], place_target(place), "exec"):
        raise NotSentError(why)
    entry = {
        "source": source.name,
        "look": look.value,
        "place": str(place),
        "uid": place.uid,
        "subject": without_secrets(subject),
    }
    await record("looking inside", entry)
    try:
        findings = await diagnose(source.connection, place, look, subject)
    except SourceError as error:
        await record("looked inside", {**entry, "ran": f"nothing was learned ({error.message})"})
        raise
    ran = "; ".join(f"{' '.join(arguments)} ({status})" for arguments, status in findings.ran)
    await record("looked inside", {**entry, "ran": without_secrets(ran)})
    return findings
