"""The end of an incident: `build/incident.json`, and whether it ended well."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from lab.ending import judge_losses
from stack.judge import Condition, Evidence, judge
from stack.moments import alarm_deliveries, find_moments, seconds
from stack.phases import Request, failures_by_phase, requests_per_second
from stack.watch import Sight, Split

_T = TypeVar("_T")
_WEIGHT_WRITES = {"ModifyListener", "ModifyRule"}


@dataclass(frozen=True)
class Records:
    """Everything that was recorded of one application.

    `state` and `calls` are the lab's `/_lab/state` and `/_lab/calls` at the end, `operations` the panel's newest first.
    """

    slug: str
    requests: Sequence[Request]
    sights: Sequence[Sight]
    state: Mapping[str, Any]
    calls: Mapping[str, Any]
    operations: Sequence[Mapping[str, Any]]


def evidence(records: Records) -> Evidence:
    """What the judge looks at."""
    writes = records.calls["writes"]
    deliveries = alarm_deliveries(records.state, records.slug)
    weight_writes = [write["at"] for write in writes if write["action"] in _WEIGHT_WRITES and write["ok"]]
    return Evidence(
        requests=list(records.requests),
        moments=find_moments(records.requests, records.sights, weight_writes, deliveries, records.operations),
        splits=_distinct(split for sight in records.sights if (split := _agreed(sight))),
        desired_counts=_distinct(sight.desired for sight in records.sights),
        alarm_states_set_by_call=sum(write["action"] == "SetAlarmState" for write in writes),
        webhook_statuses=[each.status for each in deliveries],
    )


def report(
    scenario: str, records: Records, seen: Evidence, timeline: Sequence[Mapping[str, Any]], conditions: list[Condition]
) -> dict[str, Any]:
    """The content of `build/incident.json`; `timeline.at` and `seconds` are in seconds."""
    failed = failures_by_phase(seen.requests, seen.moments)
    last = records.sights[-1]
    on_lambda, on_ecs = next(iter(last.written.values()))
    return {
        "scenario": scenario,
        "ended_well": all(condition.holds for condition in conditions),
        "conditions": [asdict(condition) for condition in conditions],
        "requests": {
            "total": len(seen.requests),
            "failed": sum(failed.values()),
            "failed_by_phase": failed,
            "per_second": round(requests_per_second(seen.requests), 1),
        },
        "aws_calls": {"total": records.calls["total"], "by_action": records.calls["by_action"]},
        "timeline": list(timeline),
        "seconds": seconds(seen.moments),
        "end": {
            "split": {"lambda": on_lambda, "ecs": on_ecs},
            "desired_count": last.desired,
            "alarm": "ALARM" if "ALARM" in last.alarms.values() else "OK",
        },
        "operations": list(records.operations),
    }


def conclude(
    scenario: str, played: Mapping[str, Any], records: Records, timeline: Sequence[Mapping[str, Any]], file: Path
) -> tuple[bool, str]:
    """Judge, write the report; returns whether it ended well, and the verdict to print.

    `played` is the scenario as the lab shows it at its end, with what it found of its own world.
    """
    seen = evidence(records)
    conditions = [
        *(Condition(**finding) for finding in played["findings"]),
        *_losses(played["may_lose"], records.requests),
        *judge(seen, played["clean_phases"]),
    ]
    content = report(scenario, records, seen, timeline, conditions)
    file.write_text(json.dumps(content, indent=2) + "\n")
    return content["ended_well"], _verdict(conditions, content, file)


def _losses(may_lose: Sequence[str], requests: Sequence[Request]) -> list[Condition]:
    lost = Counter(request.pool or "none" for request in requests if request.failed)
    return [Condition(each.name, each.holds, each.seen) for each in judge_losses(may_lose, lost)]


def _verdict(conditions: list[Condition], content: Mapping[str, Any], file: Path) -> str:
    rows = [f"  {'ok    ' if each.holds else 'FAILED'}  {each.name}: {each.seen}" for each in conditions]
    stages = ", ".join(f"{name} {took} s" for name, took in content["seconds"].items())
    end = "The incident ended well." if content["ended_well"] else "The incident did not end well."
    counted = f"{content['requests']['total']} requests; failed: {content['requests']['failed_by_phase']}"
    return "\n".join(["", *rows, "", counted, stages, f"{end} Report: {file}"])


def _agreed(sight: Sight) -> Split | None:
    """The split that every route and node has; None while they differ."""
    splits = {*sight.written.values(), *sight.nodes.values()}
    return splits.pop() if len(splits) == 1 else None


def _distinct(values: Iterable[_T]) -> list[_T]:
    return [value for value, _ in groupby(values)]
