"""Which rules and systems are meant: all of a profile, or what `--only` names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from profiles.problems import nearest, visible
from profiles.schema import KINDS, Profile
from profiles.thresholds import Rule
from tui.check.checks import REQUIRED
from tui.check.required import REPLICAS, required_of
from tui.rules import applies
from tui.sources.kubernetes.demand import OF_METRICS, WORKLOADS


class SelectionError(ValueError):
    """`--only` names what the profile does not have; the message says so and what it has."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be judged."""

    probes: tuple[str, ...]
    """Names of the sources that must answer."""
    rules: tuple[tuple[str, str, Rule], ...]
    """Source, name of the rule, and the rule; source by source."""
    required: tuple[tuple[str, str], ...] = ()
    """Source and name of what the profile requires of it."""

    @property
    def sources(self) -> frozenset[str]:
        """Names of every source that must be read."""
        of_rules = (source for source, _, _ in self.rules)
        return frozenset({*self.probes, *of_rules, *(source for source, _ in self.required)})

    def metrics(self, source: str) -> frozenset[str]:
        """Return the metrics of a source that rules judge."""
        return frozenset(name.partition(".")[2] for of, name, _ in self.rules if of == source)


def selected(profile: Profile, sources: Sequence[str], only: Iterable[str]) -> Selection:
    """Return what is to be judged.

    Args:
        profile: whose rules.
        sources: names of all its sources, in order.
        only: kinds (`database`), systems (`database:orders`) and rules (`database.blocked`); `required`
            and `required.versions` for what the profile requires; empty means all.

    Raises:
        SelectionError: one of them names nothing.
    """
    wanted = [word for given in only for word in (part.strip() for part in given.split(",")) if word]
    wrong = [word for word in wanted if not _is_known(word, profile, sources)]
    if wrong:
        raise SelectionError("\n".join(_wrong_words(word, profile, sources) for word in wrong))

    def is_meant(source: str, rule: str = "") -> bool:
        return not wanted or bool({source, source.partition(":")[0], source.rstrip(":"), rule} & set(wanted))

    rules = tuple(
        (source, name, rule)
        for source in sources
        for name, rule in profile.thresholds.items()
        if applies(source, name, rule) and is_meant(source, name)
    )
    required = tuple(
        (source, name) for source, name in required_of(profile) if is_meant(source, name) or REQUIRED in wanted
    )
    return Selection(tuple(source for source in sources if is_meant(source)), rules, required)


def kinds_to_watch(selection: Selection, source: str) -> frozenset[str]:
    """Return what of a cluster it takes to judge it, by plural names in URLs; pods where it is probed."""
    required = (*WORKLOADS, "replicasets", "jobs", "cronjobs") if (source, REPLICAS) in selection.required else ()
    of_rules = (resource for metric in selection.metrics(source) for resource in OF_METRICS.get(metric, ()))
    return frozenset({*(("pods",) if source in selection.probes else ()), *required, *of_rules})


def _is_known(word: str, profile: Profile, sources: Sequence[str]) -> bool:
    if word == REQUIRED or word.startswith(f"{REQUIRED}."):
        return any(word in (REQUIRED, name) for _, name in required_of(profile))
    if word in profile.thresholds:
        return any(applies(source, word, profile.thresholds[word]) for source in sources)
    return any(word in (source, source.partition(":")[0]) for source in sources)


def _wrong_words(word: str, profile: Profile, sources: Sequence[str]) -> str:
    shown = visible(word)[:100]
    if word in profile.thresholds or word in KINDS:
        return f"--only {shown}: the profile has no {word.partition('.')[0]} to judge"
    if word == REQUIRED:
        return f"--only {shown}: the profile has no {REQUIRED}: section to judge"
    known = [*dict.fromkeys(source.partition(":")[0] for source in sources), *sources, *profile.thresholds]
    known += dict.fromkeys(name for _, name in required_of(profile))
    hint = nearest(word, known) or f"there are {', '.join(known[:20])}"
    return f"--only {shown}: no kind of system, system or rule of this profile; {hint}"
