"""Two clusters with the same names and the same uids: whatever a walk reads or does, it does in the one it is about."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tui.walkthroughs.fakes import Cluster, deployment, failing_pod, guide_of, site_of, walk_of
from tui.panes.checklist_steps import Steps
from tui.panes.pane import Pane
from tui.rules import Alert, Level
from tui.sources.errors import SourceError, Unreachable
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.walking import runbook_choices
from tui.walkthroughs.evidence import evidence, verdict
from tui.walkthroughs.format import Act, Check
from tui.walkthroughs.judging import Asked
from tui.walkthroughs.run import Fact, Mark
from tui.walkthroughs.site import NOBODY, Place, Site, Subject
from tui.walkthroughs.targets import Asked as ActAsked
from tui.walkthroughs.targets import Candidate, candidates

CLUSTERS = {"eu": "c-eu", "us": "c-us"}
API = "shop/deployment/api"
IN_US, IN_EU = Subject("workload", API, "us"), Subject("workload", API, "eu")
SERVICES = {"api": {"url": "http://a/", "workload": API, "cluster": "us"}}
WELL, ILL = Cluster("eu", deployment()), Cluster("us", deployment(ready=1, desired=5), failing_pod())


async def facts(site: Site, subject: Subject = NOBODY, **check: Any) -> tuple[Fact, ...]:
    return await evidence(Asked(Check.model_validate({"check": "c", **check}), subject), site)


async def found(
    site: Site, subject: Subject = NOBODY, kept: dict[str, int] | None = None, **act: Any
) -> tuple[Candidate, ...]:
    return await candidates(ActAsked(Act.model_validate({"act": "a", **act}), subject, kept or {}), site)


async def heard(site: Site) -> Site:
    """Return the site once every cluster has answered."""
    await site.anew([reading.source for reading in site.pollers.readings()])
    return site


@pytest.mark.parametrize(
    ("profile", "named", "asked"),
    [
        ({"clusters": CLUSTERS}, {"cluster": "us"}, "kubernetes:us"),
        ({"clusters": {"eu": "c-eu"}}, {}, "kubernetes:eu"),
        ({"kubernetes": "c", "clusters": CLUSTERS}, {}, "kubernetes:"),
        ({"kubernetes": "c", "clusters": CLUSTERS}, {"cluster": "eu"}, "kubernetes:eu"),
    ],
)
async def test_a_log_is_read_in_the_cluster_that_has_it(
    tmp_path: Path, profile: dict[str, Any], named: dict[str, str], asked: str
) -> None:
    clusters = Cluster(""), Cluster("eu"), Cluster("us")
    logs = {"api": {"workload": "deployment/api", "namespace": "shop", **named}}
    async with site_of(tmp_path, *clusters, **profile, logs=logs) as site:
        (fact,) = await facts(site, logs={"of": "api"}, warn=1)
    assert fact.detail == f"{asked} was asked"


# What a walk is about


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("workload:us:shop/deployment/api", IN_US),
        ("workload:shop/deployment/api", Subject("workload", API)),
        ("service:api", Subject("service", "api")),
        ("database:orders", Subject("database", "orders")),
        ("", NOBODY),
    ],
)
def test_a_subject_is_on_record_with_its_cluster_and_old_records_are_read(written: str, subject: Subject) -> None:
    assert Subject.read(written) == subject
    assert str(subject) == written


@pytest.mark.parametrize(
    ("profile", "subject", "clusters"),
    [
        ({"clusters": CLUSTERS}, IN_US, ("kubernetes:us",)),
        ({"clusters": CLUSTERS}, Subject("service", "api"), ("kubernetes:us",)),
        ({"clusters": CLUSTERS}, NOBODY, ("kubernetes:eu", "kubernetes:us")),
        ({"clusters": CLUSTERS}, Subject("database", "orders"), ("kubernetes:eu", "kubernetes:us")),
        ({"clusters": CLUSTERS}, Subject("workload", API), ("kubernetes:",)),
        ({"clusters": CLUSTERS}, Subject("workload", API, "gone"), ("kubernetes:gone",)),
        ({"clusters": CLUSTERS, "kubernetes": "c"}, Subject("workload", API), ("kubernetes:",)),
        ({"clusters": {"us": "c-us"}}, Subject("workload", API), ("kubernetes:us",)),
        ({"kubernetes": "c"}, NOBODY, ("kubernetes:",)),
    ],
)
async def test_a_walk_is_led_through_the_cluster_of_its_subject_and_through_all_without_one(
    tmp_path: Path, profile: dict[str, Any], subject: Subject, clusters: tuple[str, ...]
) -> None:
    services = SERVICES if "us" in profile.get("clusters", {}) else {}
    async with site_of(tmp_path, **profile, services=services) as site:
        assert subject.clusters(site.profile) == clusters


async def test_a_cluster_that_the_profile_no_longer_tells_apart_is_unknown_and_nothing_is_done(tmp_path: Path) -> None:
    async with site_of(tmp_path, WELL, ILL, clusters=CLUSTERS) as site:
        for subject in (Subject("workload", API), Subject("workload", API, "gone")):
            checks: list[dict[str, Any]] = [{"rollout": ["{subject}"]}, {"pods": "none failing"}]
            for check in checks:
                (fact,) = await facts(site, subject, **check)
                assert (fact.mark, fact.detail) == (Mark.UNKNOWN, "the profile names no such system")
            with pytest.raises(SourceError, match="the profile names no such system"):
                await found(site, subject, verb="restart", pick="subject")


async def test_workloads_of_every_cluster_may_be_meant_and_stand_with_its_name(tmp_path: Path) -> None:
    async with site_of(tmp_path, WELL, ILL, clusters=CLUSTERS) as site:
        walk = walk_of({"note": "x"}, about="workload")
        assert guide_of(await heard(site), walk).subjects(walk) == [IN_EU, IN_US]
        assert [subject.label for subject in (IN_EU, IN_US)] == [f"eu:{API}", f"us:{API}"]
        assert Subject.named("workload", f"us:{API}", site.profile) == IN_US
        assert Subject.named("workload", API, site.profile) not in (IN_EU, IN_US), "that would be a guess"
    async with site_of(tmp_path, clusters={"us": "c"}) as site:
        assert Subject.named("workload", API, site.profile) == IN_US


@pytest.mark.parametrize(
    ("about", "object_", "subject"),
    [("workload", API, IN_US), ("workload", "", IN_US), ("service", "", Subject("service", "api")), (None, "", NOBODY)],
)
async def test_an_alert_of_any_cluster_offers_its_runbook_for_what_is_not_well_there(
    tmp_path: Path, about: Any, object_: str, subject: Subject
) -> None:
    elsewhere = {"other": {"url": "http://o/", "workload": API, "cluster": "eu"}}
    async with site_of(tmp_path, WELL, ILL, clusters=CLUSTERS, services=SERVICES | elsewhere) as site:
        walk = walk_of({"note": "x"}, kind="runbook", about=about, alerts=["kubernetes.pods_failing"])
        guide = guide_of(await heard(site), walk)
        alert = Alert("kubernetes:us", "pods_failing", object_, Level.CRITICAL, 11.0, 10.0, 0.0)
        assert [choice.key for choice in runbook_choices(guide, [alert], 0.0)] == ["0 t"]
        assert guide.subject_of(walk, "kubernetes:us", object_) == subject
        if about is not None and not object_:
            assert guide.subject_of(walk, "kubernetes:eu", "") is None, "nothing is broken there"


async def test_where_an_alert_does_not_say_what_it_is_about_nothing_of_another_cluster_is_offered(
    tmp_path: Path,
) -> None:
    services = SERVICES | {
        "other": {"url": "http://o/", "workload": API, "cluster": "eu"},
        "nowhere": {"url": "http://n/"},
    }
    async with site_of(tmp_path, WELL, ILL, clusters=CLUSTERS, services=services) as site:
        guide = guide_of(await heard(site))
        workloads, of_services = (walk_of({"note": "x"}, about=about) for about in ("workload", "service"))
        assert guide.subjects(workloads, "kubernetes:us") == [IN_US]
        assert [one.name for one in guide.subjects(of_services, "kubernetes:us")] == ["api", "nowhere"]
        assert guide.subjects(workloads, "service:api") == [IN_EU, IN_US]


# Evidence


@pytest.mark.parametrize("subject", [IN_US, Subject("service", "api")])
async def test_evidence_is_of_the_cluster_of_the_subject_only(tmp_path: Path, subject: Subject) -> None:
    rules = {"kubernetes.pods_failing": {"warn": 1}}
    async with site_of(tmp_path, WELL, ILL, clusters=CLUSTERS, services=SERVICES, rules=rules) as site:
        for written in ("{subject}", API, "shop/*/a*"):
            (fact,) = await facts(site, subject, rollout=[written])
            assert (fact.what, fact.mark) == (f"us:{API}", Mark.FAILED)
        (pod,) = await facts(site, subject, pods="none failing")
        assert (pod.what, pod.mark) == ("us:shop/api-1", Mark.FAILED)
        (rule,) = await facts(site, subject, rule="kubernetes.pods_failing")
        assert (rule.what, rule.mark) == ("us pods_failing", Mark.WARNING)
        (well,) = await facts(site, IN_EU, rollout=["{subject}"])
        assert (well.what, well.mark) == (f"eu:{API}", Mark.PASSED)
        (none,) = await facts(site, IN_EU, pods="none failing")
        assert (none.what, none.mark) == (f"eu:{API}", Mark.PASSED)
        (rule,) = await facts(site, IN_EU, rule="kubernetes.pods_failing")
        assert (rule.what, rule.mark) == ("eu pods_failing", Mark.PASSED)


async def test_a_step_about_nothing_judges_every_cluster_and_one_with_names_those(tmp_path: Path) -> None:
    async with site_of(tmp_path, WELL, ILL, clusters=CLUSTERS) as site:
        for written in (API, "shop/*/*"):
            both = await facts(site, rollout=[written])
            assert [(fact.what, fact.mark) for fact in both] == [
                (f"us:{API}", Mark.FAILED), (f"eu:{API}", Mark.PASSED),
            ]  # fmt: skip
        pods = await facts(site, pods="none failing")
        assert [(fact.what, fact.mark) for fact in pods] == [
            ("us:shop/api-1", Mark.FAILED), ("eu pods", Mark.PASSED),
        ]  # fmt: skip
        (named,) = await facts(site, rollout=[f"eu:{API}"])
        assert named.what == f"eu:{API}"
        (on,) = await facts(site, pods="none failing", on=["eu"])
        assert on.what == "eu pods"


async def test_a_path_means_the_cluster_without_a_name_as_it_did_before_there_were_others(tmp_path: Path) -> None:
    first = Cluster("", deployment())
    async with site_of(tmp_path, first, WELL, ILL, kubernetes="c", clusters=CLUSTERS) as site:
        (fact,) = await facts(site, rollout=[API])
        assert (fact.what, fact.mark) == (API, Mark.PASSED)
        (candidate,) = await found(site, verb="restart", pick="named", workloads=[API])
        assert (candidate.label, candidate.request.target.source) == (API, "kubernetes:")


async def test_a_cluster_that_is_silent_is_unknown_and_does_not_hide_the_other(tmp_path: Path) -> None:
    silent = Cluster("us", error=Unreachable("nobody listens"))
    async with site_of(tmp_path, WELL, silent, clusters=CLUSTERS) as site:
        checks: list[dict[str, Any]] = [{"rollout": ["shop/*/*"]}, {"pods": "none failing"}]
        for check in checks:
            both = await facts(site, **check)
            assert [(fact.what.split()[0].partition(":")[0], fact.mark) for fact in both] == [
                ("us", Mark.UNKNOWN), ("eu", Mark.PASSED),
            ]  # fmt: skip
            assert verdict(both) is Mark.UNKNOWN
        (alone,) = await facts(site, IN_EU, rollout=["{subject}"])
        assert alone.mark is Mark.PASSED


# Targets


def told(candidates: tuple[Candidate, ...]) -> list[tuple[str, str, str]]:
    return [(each.label, each.request.target.source, str(each.request.target.name)) for each in candidates]


@pytest.mark.parametrize("subject", [IN_US, Subject("service", "api")])
@pytest.mark.parametrize(
    "act",
    [
        {"verb": "restart", "pick": "subject"},
        {"verb": "restart", "pick": "failing"},
        {"verb": "restart", "pick": "named", "workloads": [API]},
        {"verb": "restart", "pick": "named", "workloads": ["shop/*/*"]},
        {"verb": "scale", "pick": "subject", "replicas": 1},
        {"verb": "pause-rollout", "pick": "subject"},
    ],
)
async def test_a_change_goes_to_the_cluster_of_the_subject_only(
    tmp_path: Path, subject: Subject, act: dict[str, Any]
) -> None:
    async with site_of(tmp_path, WELL, ILL, clusters=CLUSTERS, services=SERVICES) as site:
        assert told(await found(site, subject, **act)) == [(f"us:{API}", "kubernetes:us", "api")]
        well = [] if act["pick"] == "failing" else [(f"eu:{API}", "kubernetes:eu", "api")]
        assert told(await found(site, IN_EU, **act)) == well


async def test_a_pod_is_deleted_and_a_revision_looked_up_where_the_subject_runs(tmp_path: Path) -> None:
    both_ill = Cluster("eu", deployment(), failing_pod()), ILL
    async with site_of(tmp_path, *both_ill, clusters=CLUSTERS) as site:
        pods = await found(site, IN_US, verb="delete-pod", pick="failing")
        assert told(pods) == [("us:shop/api-1", "kubernetes:us", "api-1")]
        with pytest.raises(SourceError, match="kubernetes:us was asked"):
            await found(site, IN_US, verb="undo-rollout", pick="subject")


async def test_targets_of_several_clusters_are_told_apart_though_their_uids_are_the_same(tmp_path: Path) -> None:
    both_ill = Cluster("eu", deployment(), failing_pod()), ILL
    async with site_of(tmp_path, *both_ill, clusters=CLUSTERS) as site:
        for verb in ("restart", "delete-pod"):
            several = await found(site, verb=verb, pick="failing")
            assert {each.request.target.source for each in several} == {"kubernetes:eu", "kubernetes:us"}
            assert len({each.key for each in several}) == 2
            assert all(each.label.startswith(f"{each.request.target.source[11:]}:") for each in several)
        (only,) = await found(site, verb="delete-pod", pick="failing", on=["us"])
        assert only.request.target.source == "kubernetes:us"


async def test_what_a_cluster_that_is_silent_would_have_is_not_left_out_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging(Cluster):
        async def read(self) -> KubernetesSnapshot:
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr("tui.walkthroughs.site._PATIENCE_S", 0.2)
    async with site_of(tmp_path, ILL, Hanging("eu"), clusters=CLUSTERS) as site:
        with pytest.raises(SourceError, match="eu: no answer yet"):
            await found(site, verb="restart", pick="failing", all=True)
        assert told(await found(site, IN_US, verb="restart", pick="failing")), "what is about us does not wait for eu"


@pytest.mark.parametrize(
    ("subject", "open_", "source"),
    [
        (IN_US, "Pods", "kubernetes:us"),
        (Subject("service", "api"), "Pods", "kubernetes:us"),
        (IN_US, "Logs", ""),
        (NOBODY, "Pods", ""),
        (Subject("database", "orders"), "Database", "database:orders"),
    ],
)
async def test_a_tab_is_opened_where_the_subject_is(tmp_path: Path, subject: Subject, open_: str, source: str) -> None:
    looked: list[Pane.Looked] = []
    async with site_of(tmp_path, clusters=CLUSTERS, services=SERVICES) as site:
        guide = guide_of(site, walk := walk_of({"look": "at it", "open": open_}, {"note": "x"}))
        await guide.begin(walk, subject)

        async def on_record(work: Awaitable[Any]) -> None:
            await work

        pane: Any = SimpleNamespace(
            desk=SimpleNamespace(profile=site.profile), on_record=on_record, post_message=looked.append,
            Looked=Pane.Looked,
        )  # fmt: skip
        await Steps._look(pane, guide, guide.step.step)  # type: ignore[union-attr, arg-type]  # the one above
    assert [one.source for one in looked] == [source]


async def test_replicas_are_remembered_and_brought_back_cluster_by_cluster(tmp_path: Path) -> None:
    step = {"remember": "Replicas", "id": "keep", "workloads": ["shop/deployment/*"]}
    silent = Cluster("us", error=Unreachable("nobody listens"))
    async with site_of(tmp_path, WELL, ILL, clusters=CLUSTERS) as site:
        guide = guide_of(await heard(site), walk := walk_of(step, {"note": "x"}))
        await guide.begin(walk, NOBODY)
        placed = guide.step
        assert placed is not None
        await guide.remember(placed.step)  # type: ignore[arg-type]  # the one above
        assert guide.run is not None
        kept = guide.run.remembered
        assert kept == {f"eu:{API}": 2, f"us:{API}": 5}
        scale: dict[str, Any] = {"verb": "scale", "pick": "subject", "replicas": "remembered"}
        swapped = {f"eu:{API}": 5, f"us:{API}": 2}
        (back,) = await found(site, IN_US, swapped, **scale)
        assert (back.request.target.source, back.request.wanted) == ("kubernetes:us", {"replicas": 2})
        assert await found(site, IN_US, {API: 2}, **scale) == (), "kept of no cluster that could be told"
    async with site_of(tmp_path / "2", WELL, silent, clusters=CLUSTERS) as site:
        guide = guide_of(await heard(site), walk)
        await guide.begin(walk, NOBODY)
        await guide.remember(placed.step)  # type: ignore[arg-type]  # the one above
        assert guide.run is not None
        assert guide.run.results["keep"].mark is Mark.UNKNOWN


async def test_a_workload_is_known_by_its_cluster_and_its_path(tmp_path: Path) -> None:
    async with site_of(tmp_path, WELL, ILL, clusters=CLUSTERS) as site:
        wanted = {name: (await heard(site)).workload(Place(f"kubernetes:{name}", API)) for name in ("eu", "us", "gone")}
    assert [one.desired if one else None for one in wanted.values()] == [2, 5, None]
