"""What we may do in each namespace, asked once and remembered for a while: known before a key is pressed."""

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Final

from tui.sources.errors import SourceError
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import Object, part, parts

_LOG: Final = logging.getLogger(__name__)
_PATH: Final = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
_KEPT_S: Final = 120.0
"""After that a role may have been given or taken."""


class Permissions:
    """Answers from memory, and asks the server behind the scenes where it does not know yet."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rules: dict[str, tuple[float, tuple[Object, ...] | None]] = {}
        """By namespace: when it was asked (`time.monotonic()`), and the rules; None: the server could not say all."""
        self._verdicts: dict[tuple[str, str, str, str], bool] = {}
        """What those rules say, as far as it was asked: the key bar asks every second, and a role may have hundreds."""
        self._asking: dict[str, asyncio.Task[None]] = {}

    def may(self, verb: str, group: str, resource: str, namespace: str) -> bool | None:
        """Tell whether we may `verb` (`patch`) a resource (with its subresource: `deployments/scale`); None: not known.

        What is not known is asked for behind the scenes, so that it is known soon; needs the running event loop.
        """
        asked_at, rules = self._rules.get(namespace, (float("-inf"), None))
        if time.monotonic() - asked_at > _KEPT_S and namespace not in self._asking:
            task = asyncio.get_running_loop().create_task(self._ask(namespace))
            self._asking[namespace] = task
            task.add_done_callback(lambda _: self._asking.pop(namespace, None))
        if rules is None:
            return None
        question = (namespace, verb, group, resource)
        if (verdict := self._verdicts.get(question)) is None:
            verdict = self._verdicts[question] = any(_allows(rule, verb, group, resource) for rule in rules)
        return verdict

    async def _ask(self, namespace: str) -> None:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        rules: tuple[Object, ...] | None = None
        try:
            answer = await self._connection.call("POST", _PATH, body=review)
        except SourceError as error:
            _LOG.info("rights in %s are not known: %s", namespace, error)
        else:
            status = part(answer.body, "status")
            # An authorizer that cannot list its rules (a webhook) says so; then only asking for each act helps.
            if answer.is_ok and status.get("incomplete") is not True:
                rules = tuple(parts(status, "resourceRules"))
        self._rules[namespace] = (time.monotonic(), rules)
        self._verdicts = {question: known for question, known in self._verdicts.items() if question[0] != namespace}


def _allows(rule: Object, verb: str, group: str, resource: str) -> bool:
    if rule.get("resourceNames"):
        return True  # perhaps: it depends on the name, and the server is asked again when the change is planned
    subresource = resource.partition("/")[2]
    named = (resource, "*", *((f"*/{subresource}",) if subresource else ()))
    return _has(rule, "verbs", (verb, "*")) and _has(rule, "apiGroups", (group, "*")) and _has(rule, "resources", named)


def _has(rule: Object, key: str, wanted: Iterable[str]) -> bool:
    listed = rule.get(key)
    return isinstance(listed, list) and any(word in listed for word in wanted)
