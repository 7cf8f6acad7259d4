"""What the Pods tab offers beyond restarting, and what it asks for, on objects recorded from a real API server."""

from dataclasses import replace

import pytest
from textual.widgets import Static

from tests.tui.panes.test_pods import PaneApp, drawn, pod, shown, snapshot
from tui.panes import pods_offers
from tui.panes.offering import Offer
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.workloads import Workload
from widgets.cell import cell_text
from widgets.dialogs import ChooseDialog, InputDialog
from widgets.live_table import LiveTable


def offer(binding: str, *facts: pods_offers.Fact) -> Offer:
    return next(one for one in pods_offers.offers(facts, snapshot()) if one.binding == binding)


def of_kind(kind: str) -> Workload:
    return next(one for one in snapshot().workloads.values() if one.kind == kind)


def node() -> Node:
    return next(iter(snapshot().nodes.values()))


def test_a_node_is_cordoned_or_uncordoned_whichever_it_is_not() -> None:
    cordoned = replace(node(), status="Ready,SchedulingDisabled", uid="other")
    assert [one.verb for one in offer(pods_offers.CORDON, node()).requests] == ["cordon"]
    assert [one.verb for one in offer(pods_offers.CORDON, cordoned).requests] == ["uncordon"]
    assert "mark only the ones or the others" in offer(pods_offers.CORDON, node(), cordoned).reason
    assert "only for nodes" in offer(pods_offers.DRAIN, pod("api-")).reason


def test_hold_suspends_a_cron_job_and_pauses_a_deployment() -> None:
    assert [one.verb for one in offer(pods_offers.HOLD, of_kind("CronJob")).requests] == ["suspend"]
    suspended = replace(of_kind("CronJob"), paused=True)
    assert [one.verb for one in offer(pods_offers.HOLD, suspended).requests] == ["unsuspend"]
    assert [one.verb for one in offer(pods_offers.HOLD, of_kind("Deployment")).requests] == ["pause-rollout"]


def test_only_a_cron_jobs_job_is_run_and_only_templates_get_images() -> None:
    assert [one.verb for one in offer(pods_offers.RUN_JOB, of_kind("CronJob")).requests] == ["run-job"]
    assert "only for CronJob" in offer(pods_offers.RUN_JOB, of_kind("Deployment")).reason
    assert "not for a CronJob" in offer(pods_offers.SET_IMAGE, of_kind("CronJob")).reason
    assert offer(pods_offers.SET_IMAGE, pod("api-")).requests[0].target.kind == "deployment"


@pytest.mark.parametrize("key", ["V", "K", "O", "J"])
async def test_a_key_without_a_value_asks_at_once_or_says_why_not(key: str) -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        app.table().cursor_key = pod("api-").uid
        await pilot.press(key)
        await drawn(pilot)
        if key == "V":
            assert [one.verb for one in app.requests] == ["evict"]
        else:
            assert (app.requests, len(app.told)) == ([], 1)


async def test_the_menu_lists_what_has_a_key_and_what_has_none() -> None:
    app = PaneApp()
    async with app.run_test(size=(100, 30)) as pilot:
        pane = await shown(pilot, snapshot())
        app.table().cursor_key = pod("api-").uid
        await pilot.press("x")
        await drawn(pilot)
        assert isinstance(app.screen, ChooseDialog)
        await pilot.press(*"annot", "enter")
        await drawn(pilot)
        assert isinstance(app.screen, InputDialog)
        await pilot.press(*"example.com/why=disk slow for 30m", "enter")
        await drawn(pilot)
        (request,) = app.requests
        assert (request.verb, dict(request.wanted)) == ("annotate", {"key": "example.com/why", "value": "disk slow"})
        assert request.temporary_s == 1800.0
        assert {title for title, _, _ in pane.commands()} >= {"Label", "Annotate", "Set requests and limits"}


def test_a_key_for_pods_leads_on_where_something_else_is_under_the_cursor() -> None:
    for binding in (pods_offers.DELETE, pods_offers.EVICT, pods_offers.RESTART):
        assert offer(binding).reason.endswith("; x lists what can be done with what is")
    assert offer(pods_offers.DELETE, node()).reason.startswith("only pods are deleted")


async def test_the_menu_begins_with_what_can_be_done_and_names_what_it_would_be_done_to() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        app.table().cursor_key = pod("api-").uid
        await pilot.press("x")
        await drawn(pilot)
        table = app.screen.query_one(LiveTable)
        rows = [row.cells for key in table.visible_keys if (row := table.row(key)) is not None]
        told = {cell_text(label).strip(): cell_text(note) for label, note in rows}
        assert told["D  Delete pod"] == f"pod {pod('api-').path}"
        assert told["R  Restart"].startswith("deployment "), "of a pod's row it is what the pod belongs to"
        places = {label: place for place, label in enumerate(told)}
        assert places["Set requests and limits"] < places["O  Drain node"], "that is for nodes only"
        title = str(app.screen.query_one(".title", Static).content)
        assert f"pod {pod('api-').path}" in title, "whole: a line of the list may cut it"
        assert "in the view Nodes" in told["O  Drain node"]


async def test_what_is_no_label_stays_in_the_dialog_and_says_why() -> None:
    app = PaneApp()
    async with app.run_test(size=(100, 30)) as pilot:
        pane = await shown(pilot, snapshot())
        app.table().cursor_key = pod("api-").uid
        pane.action_label()
        await drawn(pilot)
        await pilot.press(*"team=has space", "enter")
        await drawn(pilot)
        assert isinstance(app.screen, InputDialog)
        assert app.requests == []


@pytest.mark.parametrize("key", ["V", "x"])
async def test_the_cursor_stays_on_what_a_key_was_pressed_for(key: str) -> None:
    app = PaneApp()
    async with app.run_test(size=(100, 30)) as pilot:
        await shown(pilot, snapshot())
        table, meant = app.table(), app.table().cursor_key
        table.sort_by("name", reverse=True)
        assert table.cursor_key != meant, "nobody has said yet which row is meant"
        meant = table.cursor_key
        await pilot.press(key)
        await drawn(pilot)
        table.sort_by("name")
        assert table.cursor_key == meant
