"""Every verb there is, by system; and what is promised of each, as a table."""

from collections.abc import Iterable
from typing import Final

from profiles.systems import Kubernetes
from tui.actions.action import About, Verb
from tui.actions.docker.verbs import CONTAINER_VERBS
from tui.actions.hooks import TellOthers
from tui.actions.kubernetes.applying import ApplyManifest
from tui.actions.kubernetes.certificate import RenewCertificate
from tui.actions.kubernetes.cordon import Cordon, Uncordon
from tui.actions.kubernetes.cronjob import ResumeCronJob, RunJob, SuspendCronJob
from tui.actions.kubernetes.drain import DrainNode
from tui.actions.kubernetes.environment import SetEnv
from tui.actions.kubernetes.evict import EvictPod
from tui.actions.kubernetes.image import SetImage
from tui.actions.kubernetes.looking import LookInside
from tui.actions.kubernetes.marks import Annotate, Label
from tui.actions.kubernetes.merging import MergePatch
from tui.actions.kubernetes.pause import PauseRollout, ResumeRollout
from tui.actions.kubernetes.pods import DeletePod
from tui.actions.kubernetes.policy import DeletePolicy, RestorePolicy
from tui.actions.kubernetes.resources import SetResources
from tui.actions.kubernetes.restart import RestartWorkload
from tui.actions.kubernetes.scale import ScaleWorkload
from tui.actions.kubernetes.secret import ShowSecret
from tui.actions.kubernetes.shell import OpenShell
from tui.actions.kubernetes.undo import UndoRollout
from tui.actions.postgres.cancel import CancelQuery
from tui.actions.postgres.index import BuildIndex
from tui.actions.postgres.parameter import SetParameter
from tui.actions.postgres.statements_enable import EnableStatements
from tui.actions.postgres.statements_reset import ResetStatements
from tui.actions.postgres.terminate import TerminateBackend, TerminateMatching
from tui.actions.postgres.vacuum import VacuumTable
from tui.actions.redis.flush import FlushDatabase
from tui.actions.redis.kill import KillClient
from tui.actions.redis.setting import SetConfig
from tui.actions.redis.unlink import UnlinkKeys
from tui.actions.redis.upkeep import PurgeMemory, SaveInBackground
from tui.actions.scripts import RunScript
from tui.actions.services.probe import SendProbe
from tui.actions.systemd.verbs import UNIT_VERBS
from tui.sources.docker.source import DockerSource
from tui.sources.kubernetes import KubernetesSource
from tui.sources.postgres.source import PostgresSource
from tui.sources.redis import RedisSource
from tui.sources.systemd import SystemdSource

KUBERNETES = (
    RestartWorkload, ScaleWorkload, UndoRollout, PauseRollout, ResumeRollout, DeletePod,
    SetImage, SetEnv, SetResources, EvictPod, Cordon, Uncordon, DrainNode, SuspendCronJob, ResumeCronJob, RunJob,
    Label, Annotate, DeletePolicy, RestorePolicy, RenewCertificate, OpenShell,
)  # fmt: skip
POSTGRES = (
    CancelQuery,
    TerminateBackend,
    TerminateMatching,
    VacuumTable,
    BuildIndex,
    SetParameter,
    ResetStatements,
    EnableStatements,
)
REDIS = (KillClient, SetConfig, UnlinkKeys, FlushDatabase, SaveInBackground, PurgeMemory)


def kubernetes_verbs(source: KubernetesSource, entry: Kubernetes, *, masks: bool = False) -> list[Verb]:
    """Return every verb for the objects of a cluster; `masks` shows no Secret, where several people see the screen."""
    declared = (MergePatch(source, entry.patches), ApplyManifest(source, entry.manifests))
    return [*(kind(source) for kind in KUBERNETES), ShowSecret(source, masks=masks), *declared]


def postgres_verbs(source: PostgresSource) -> list[Verb]:
    """Return every verb for a PostgreSQL server."""
    return [kind(source) for kind in POSTGRES]


def redis_verbs(source: RedisSource) -> list[Verb]:
    """Return every verb for a Redis or Valkey server."""
    return [kind(source) for kind in REDIS]


def container_verbs(source: DockerSource) -> list[Verb]:
    """Return every verb for the containers of an engine."""
    return [kind(source) for kind in CONTAINER_VERBS]


def unit_verbs(source: SystemdSource) -> list[Verb]:
    """Return every verb for units of systemd."""
    return [kind(source) for kind in UNIT_VERBS]


def promises() -> list[tuple[str, About]]:
    """Return the name of every verb and what is promised of it, in the order of the systems."""
    of_hosts = (*CONTAINER_VERBS, *UNIT_VERBS, SendProbe, TellOthers, RunScript)
    kubernetes = (*KUBERNETES, LookInside, ShowSecret, MergePatch, ApplyManifest)
    kinds = (*kubernetes, *POSTGRES, *REDIS, *of_hosts)
    return [(kind.name, kind.about) for kind in kinds]


_LABELS: Final = ("system", "targets", "risk", "inverse", "identity", "window", "command", "verification")


def table(found: Iterable[tuple[str, About]]) -> str:
    """Return what is promised of verbs as a Markdown table, a row a verb."""
    rows = [("verb", *_LABELS), ("---",) * (len(_LABELS) + 1)]
    rows += [(f"`{name}`", *(getattr(about, label) for label in _LABELS)) for name, about in found]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


def pages(found: Iterable[tuple[str, About]]) -> str:
    """Return what is promised of verbs as plain text, a block a verb."""
    return "\n\n".join(
        "\n".join([name, *(f"  {label:<13} {getattr(about, label)}" for label in _LABELS)]) for name, about in found
    )
