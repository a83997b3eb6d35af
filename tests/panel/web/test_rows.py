from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from failover.model import AlarmState, Service, Split, Targets
from panel.accounts import roles
from panel.fleet.models import Application
from panel.operations.models import Hold, Operation
from panel.web import rows
from panel.web.attention import Attention
from panel.web.standing import Standing
from tests.panel.web import examples

EVERYTHING = frozenset(roles.actions())
NOW = examples.NOW
MOMENT = datetime.fromtimestamp(NOW, UTC)
ALARM, NO_DATA = AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA


def standing(slug: str = "checkout", **values: object) -> Standing:
    shown = {"application": Application(pk=1, slug=slug, mode="auto"), "snapshot": examples.snapshot(), "now": NOW}
    return Standing(**(shown | values))


def active() -> Operation:
    return Operation(pk=3, goal="failover", status="running")


def failed() -> Operation:
    return Operation(pk=2, goal="failover", status="failed", finished_at=MOMENT)


def hold() -> Hold:
    return Hold(application_id=1, owner="on-call", reason="migration", expires_at=MOMENT + timedelta(hours=1))


CASES = [
    (standing(snapshot=examples.snapshot(alarm=ALARM)), Attention.ALARM, "Fail over…"),
    (standing(snapshot=examples.snapshot(alarm=ALARM), active=active()), Attention.ALARM, "Watch"),
    (standing(active=active()), Attention.MOVING, "Watch"),
    (standing(snapshot=None), Attention.UNREAD, "Open"),
    (standing(snapshot=examples.snapshot(at=NOW - 100)), Attention.UNREAD, "Open"),
    (standing(snapshot=examples.snapshot(split=None)), Attention.UNREAD, "Open"),
    (standing(last=failed()), Attention.FAILED, "Fail over…"),
    (standing(snapshot=examples.snapshot(split=Split(0, 1))), Attention.AWAY, "Fail back…"),
    (standing(snapshot=examples.snapshot(split=Split(0, 1), alarm=ALARM)), Attention.AWAY, "Open"),
    (standing(snapshot=examples.snapshot(split=Split(9, 1))), Attention.AWAY, "Set weights…"),
    (standing(hold=hold()), Attention.HELD, "Release…"),
    (standing(snapshot=examples.snapshot(alarm=NO_DATA)), Attention.NO_DATA, "Fail over…"),
    (standing(), Attention.QUIET, "Fail over…"),
]


@pytest.mark.parametrize(("shown", "attention", "action"), CASES, ids=[f"{c[1].name}-{c[2]}" for c in CASES])
def test_attention_and_the_one_sensible_action(shown: Standing, attention: Attention, action: str) -> None:
    assert (rows.attention(shown), rows.sensible(shown).label) == (attention, action)


def test_failing_over_is_offered_boldly_only_in_an_alarm() -> None:
    assert rows.sensible(standing(snapshot=examples.snapshot(alarm=ALARM))).kind == "primary"
    assert rows.sensible(standing()).kind == ""


def test_while_an_operation_runs_it_can_be_cancelled_or_another_goal_be_put_in_its_place() -> None:
    offered = [link.label for link in rows.actions(standing(active=active()), EVERYTHING)]
    assert offered == ["Hold…", "Set weights…", "Fail back…", "Cancel…"]


@pytest.mark.parametrize(
    ("split", "labels"),
    [
        (Split(1, 0), ["Hold…", "Set weights…", "Fail over…"]),
        (Split(0, 1), ["Hold…", "Set weights…", "Fail back…"]),
        (Split(1, 1), ["Hold…", "Fail back…", "Fail over…", "Set weights…"]),
    ],
)
def test_the_page_offers_what_can_be_done_from_here_the_sensible_one_last(split: Split, labels: list[str]) -> None:
    assert [
        link.label for link in rows.actions(standing(snapshot=examples.snapshot(split=split)), EVERYTHING)
    ] == labels


def test_with_a_hold_it_can_be_released_and_not_placed_twice() -> None:
    assert [link.label for link in rows.actions(standing(hold=hold()), EVERYTHING)] == [
        "Set weights…",
        "Fail over…",
        "Release…",
    ]


def test_tasks_that_were_not_read_are_unknown_and_not_zero() -> None:
    assert rows.tasks(None, None).desired is None
    assert rows.tasks(Service(0, 0, 0), Targets(0)).standby
    assert not rows.tasks(Service(2, 2, 0), None).standby


def test_a_bar_shows_odd_weights_in_percent() -> None:
    bar = rows.Bar.of(Split(2, 1))

    assert bar is not None
    assert (bar.lambda_percent, bar.ecs_percent) == (66.67, 33.33)
