"""A guarded shell in a container, on the simulated cluster."""

import asyncio
import time
from pathlib import Path

import pytest

from profiles.schema import Profile
from tests.tui.actions.kubernetes.conftest import pods, source_as
from tui.actions.action import Action, GoneError, Look, NotSentError, Phase, Risk, Sight
from tui.actions.guard import GuardState
from tui.actions.kubernetes.shell import OpenShell, Shell, shell_request
from tui.actions.perform import Ask, Consent, Ending, Performer
from tui.journal import Journal
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.resources import PODS
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.reading import Reading

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


async def types_exit(shell: Shell) -> str:
    """Behave as somebody at a terminal who leaves at once."""
    await shell.session.type(b"exit 5\r")
    async for _ in shell.session.output():
        pass
    return ""


def verb_of(source: KubernetesSource) -> OpenShell:
    verb = OpenShell(source)
    verb.attach = types_exit
    return verb


async def ended(verb: OpenShell, action: Action) -> Look:
    sent = action.sent(time.time())
    async with asyncio.timeout(30):
        while (look := await verb.look(sent)).phase is Phase.WAITING:
            await asyncio.sleep(0.02)
    return look


async def test_a_shell_is_opened_and_its_end_is_the_proof(cluster: Cluster, source: KubernetesSource) -> None:
    verb = verb_of(source)
    pod = pods(source, "queue")[0]
    action = await verb.plan(shell_request(pod, "app"))
    assert (action.permission, action.risk) == ("", Risk.MEDIUM)
    assert action.command.endswith(f"-n shop exec -it {pod.name} -c app -- sh")
    assert not cluster.execs.seen, "a plan only"
    receipt = await verb.execute(action)
    assert receipt.answer == f"sh is open in shop/{pod.name}/app"
    look = await ended(verb, action)
    assert look.phase is Phase.CONVERGED
    assert look.detail.startswith("ended with exit status 5, after ")
    assert [arguments for _, arguments in cluster.execs.seen] == [("bash",), ("ash",), ("sh",)]
    assert cluster.execs.open == 0


async def test_the_whole_life_is_on_record_without_what_was_typed(source: KubernetesSource, tmp_path: Path) -> None:
    verb = verb_of(source)
    profile = Profile.model_validate({"name": "t", "environment": "prod", "guards": {"read_only": False}})
    reading = Reading("kubernetes:", 1.0, await source.read(), taken_at=time.time())
    guard = GuardState(read_only=False, reading_of=lambda name: reading)
    journal = Journal(tmp_path / "journal", "t", "prod")
    performer = Performer(profile, {("shell", "kubernetes:"): verb}, guard, journal)
    asked: list[Ask] = []

    async def agree(action: Action, ask: Ask) -> Consent:
        asked.append(ask)
        return Consent(ask)

    request = shell_request(pods(source, "queue")[0], "app")
    outcome = await performer.perform(request, agree, lambda request, what: None)
    assert (outcome.ending, asked) == (Ending.CONVERGED, [Ask.NAME])
    written = journal.path.read_text()
    assert "exit status 5" in written
    assert "exit 5" not in written
    guard.read_only = True
    outcome = await performer.perform(request, agree, lambda request, what: None)
    assert outcome.ending is Ending.REFUSED


async def test_who_may_not_is_told_before_and_nothing_opens(cluster: Cluster, tmp_path: Path) -> None:
    viewer = source_as(cluster, tmp_path, "viewer")
    await viewer.read()
    verb = verb_of(viewer)
    action = await verb.plan(shell_request(pods(viewer, "queue")[0], "app"))
    assert "needs create on pods/exec in shop" in action.permission
    with pytest.raises(NotSentError, match='cannot create resource "pods/exec"'):
        await verb.execute(action)
    await viewer.close()


async def test_a_pod_made_again_under_its_name_is_not_entered(cluster: Cluster, source: KubernetesSource) -> None:
    verb = verb_of(source)
    pod = next(pod for pod in pods(source, "queue") if pod.name == "queue-0")
    action = await verb.plan(shell_request(pod, "app"))
    cluster.store.remove(PODS, "shop", "queue-0")
    await cluster.until(lambda: any(p["metadata"]["name"] == "queue-0" for p in cluster.serving("shop", "queue")))
    assert (await verb.sight(action))[0] is Sight.GONE
    with pytest.raises(GoneError, match="another one now"):
        await verb.execute(action)
    assert not cluster.execs.seen


async def test_an_image_without_a_shell_is_told(cluster: Cluster, source: KubernetesSource) -> None:
    verb = verb_of(source)
    action = await verb.plan(shell_request(pods(source, "node-agent")[0], "app"))
    with pytest.raises(NotSentError, match="has no shell: none of bash, ash, sh"):
        await verb.execute(action)


async def test_a_lost_line_and_a_shell_that_was_left_are_no_good_end(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb = verb_of(source)
    cut = asyncio.Event()

    async def waits(shell: Shell) -> str:
        cut.set()
        async for _ in shell.session.output():
            pass
        return ""

    async def leaves(shell: Shell) -> str:
        return "left by ctrl+]"

    request = shell_request(pods(source, "queue")[0], "app")
    verb.attach = waits
    action = await verb.plan(request)
    await verb.execute(action)
    await cut.wait()
    await cluster.restart_server()
    look = await ended(verb, action)
    assert (look.phase, "may go on" in look.detail) == (Phase.NOT_CONVERGED, True)
    verb.attach = leaves
    action = await verb.plan(request)
    await verb.execute(action)
    look = await ended(verb, action)
    assert look.phase is Phase.NOT_CONVERGED
    assert look.detail.startswith("left by ctrl+]; what was running in it may go on, after ")


async def test_a_shell_of_an_opstui_that_is_gone_is_open_no_more(source: KubernetesSource) -> None:
    verb = verb_of(source)
    action = await verb.plan(shell_request(pods(source, "queue")[0], "app"))
    look = await OpenShell(source).look(action.sent(time.time()))
    assert look.phase is Phase.ABSENT


async def test_dangerous_places_are_named(cluster: Cluster, source: KubernetesSource) -> None:
    verb = verb_of(source)
    action = await verb.plan(shell_request(pods(source, "coredns")[0], "app"))
    assert (action.risk, action.risk_reason) == (Risk.HIGH, "it lives in kube-system")
    pod = pods(source, "queue")[0]
    cluster.store.modify(
        PODS, "shop", pod.name, lambda p: p["spec"]["containers"][0].update(securityContext={"privileged": True})
    )
    action = await verb.plan(shell_request(pod, "app"))
    assert (action.risk, "privileged" in action.risk_reason) == (Risk.HIGH, True)


async def test_without_a_terminal_there_is_no_shell(source: KubernetesSource) -> None:
    verb = OpenShell(source)
    action = await verb.plan(shell_request(pods(source, "queue")[0], "app"))
    with pytest.raises(NotSentError, match="needs a terminal"):
        await verb.execute(action)
    with pytest.raises((NotSentError, SourceError), match="no container 'nonesuch'"):
        await verb.plan(shell_request(pods(source, "queue")[0], "nonesuch"))
