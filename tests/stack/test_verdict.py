"""The report of an incident, by its public keys."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from stack.judge import WHOLE_CYCLE, judge
from stack.phases import Request
from stack.verdict import Records, conclude, evidence
from stack.watch import ON_ECS, ON_LAMBDA, Sight, Split

PHASES = {"before", "throttled", "failover_shift", "on_ecs", "failback_shift", "after"}
STAGES = {
    "alarm_to_webhook",
    "webhook_to_decision",
    "decision_to_healthy",
    "healthy_to_weights",
    "weights_to_verified",
    "failover_total",
    "failback_total",
}


def sight(at: float, split: Split, desired: int) -> Sight:
    return Sight(at, {"concurrency": "OK"}, {"the listener": split}, {"a": split}, desired, desired, desired, 1)


def iso(second: int) -> str:
    return f"1970-01-01T00:00:{second:02d}+00:00"


def records() -> Records:
    quick = [Request(n / 60, n / 60 + 0.01, "/", 200, "lambda") for n in range(60 * 55)]
    slow = [Request(18, 23, "/sleep", 200, "lambda"), Request(38, 43, "/sleep", 200, "ecs")]
    throttled = [Request(11, 11.1, "/", 502, "lambda")]
    attempt = {"at": 12.1, "answered": 12.2, "status": 202}
    state = {
        "applications": {"checkout": {"alarms": [{"name": "concurrency"}]}},
        "events": [{"alarm": "concurrency", "state": "ALARM", "accepted": 12.0, "attempts": [attempt]}],
    }
    writes = [(20, "ModifyListener", True), (21, "ModifyListener", False), (40, "ModifyListener", True)]
    return Records(
        slug="checkout",
        requests=[*quick, *slow, *throttled],
        sights=[
            sight(0, ON_LAMBDA, 0),
            sight(15, ON_LAMBDA, 3),
            replace(sight(20.5, ON_ECS, 3), nodes={"a": ON_LAMBDA}),
            sight(23, ON_ECS, 3),
            sight(42, ON_LAMBDA, 3),
            sight(50, ON_LAMBDA, 0),
        ],
        state=state,
        calls={
            "total": 9,
            "by_action": {"elbv2:ModifyListener": 3, "ecs:DescribeServices": 6},
            "writes": [{"at": at, "service": "elbv2", "action": action, "ok": ok} for at, action, ok in writes],
        },
        operations=[
            {"goal": "failback", "created_at": iso(37), "finished_at": iso(51)},
            {"goal": "failover", "created_at": iso(13), "finished_at": iso(30)},
        ],
    )


def concluded(
    tmp_path: Path, given: Records, missed: str = "", may_lose: tuple[str, ...] = ("lambda",)
) -> tuple[bool, str, dict[str, Any]]:
    file = tmp_path / "incident.json"
    in_time = {"name": "everything came in time", "holds": not missed, "seen": missed or "yes"}
    played = {"findings": [in_time], "may_lose": may_lose, "clean_phases": WHOLE_CYCLE}
    well, verdict = conclude("surge", played, given, [{"at": 1, "what": "alarm", "detail": ""}], file)
    return well, verdict, json.loads(file.read_text())


def test_a_good_incident_is_reported_with_the_public_keys(tmp_path: Path) -> None:
    well, verdict, report = concluded(tmp_path, records())
    assert well, verdict
    assert set(report["requests"]["failed_by_phase"]) == PHASES
    assert (report["requests"]["total"], report["requests"]["failed"]) == (60 * 55 + 3, 1)
    assert report["requests"]["failed_by_phase"]["throttled"] == 1
    assert report["aws_calls"] == {"total": 9, "by_action": {"elbv2:ModifyListener": 3, "ecs:DescribeServices": 6}}
    assert report["timeline"] == [{"at": 1, "what": "alarm", "detail": ""}]
    assert set(report["seconds"]) == STAGES
    assert None not in report["seconds"].values()
    assert report["end"] == {"split": {"lambda": 100, "ecs": 0}, "desired_count": 0, "alarm": "OK"}


def test_a_split_counts_only_when_every_node_has_it() -> None:
    assert evidence(records()).splits == [ON_LAMBDA, ON_ECS, ON_LAMBDA]


def test_a_write_that_was_refused_moved_nothing() -> None:
    given = records()
    given.calls["writes"][0]["ok"] = False
    assert evidence(given).moments.failover_write == 40


def test_a_broken_condition_is_named_with_what_was_seen(tmp_path: Path) -> None:
    given = records()
    given.calls["writes"].append({"at": 5, "service": "cloudwatch", "action": "SetAlarmState", "ok": True})
    well, verdict, report = concluded(tmp_path, given)
    assert not well
    assert "FAILED  the lab's own metrics raised the alarm: 1 states set by call" in verdict
    assert [each["name"] for each in report["conditions"] if not each["holds"]] == [
        each.name for each in judge(evidence(given)) if not each.holds
    ]


def test_what_came_too_late_is_said_and_still_reported(tmp_path: Path) -> None:
    well, verdict, report = concluded(tmp_path, records(), "waited for all traffic to be on Lambda")
    assert not well
    assert "FAILED  everything came in time: waited for all traffic to be on Lambda" in verdict
    assert report["ended_well"] is False


def test_a_request_that_failed_where_none_may_is_named(tmp_path: Path) -> None:
    well, verdict, _ = concluded(tmp_path, records(), may_lose=())
    assert not well
    assert "FAILED  no request failed on Lambda: 1 failed" in verdict
