"""One application as the lab's page shows it: the truth of the world, also what AWS does not tell. Pure.

Rates are requests a second. Moments are in epoch seconds; a name that ends in ``_in`` counts the seconds from now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.application import Application
from lab.cloud import Cloud
from lab.conditions import position
from lab.recent import KEPT_SECONDS
from lab.view_alarms import composite_alarm, is_firing, metric_alarm
from lab.view_calls import buckets, calls
from lab.view_events import events
from lab.view_truth import truths
from lab.view_way import RATE_SECONDS, way
from lab.wire.dispatch import CallLog


@dataclass(frozen=True)
class Seen:
    """What there is to look at; ``stage`` is what ``Stage.shown`` answers."""

    cloud: Cloud
    stage: Mapping[str, Any]
    log: CallLog


def view(seen: Seen, slug: str, now: float, since: float = 0.0) -> dict[str, Any]:
    """Everything about one application; ``answers`` are those of the whole seconds from ``since`` on."""
    application, home = seen.cloud.applications[slug], seen.cloud.home(slug)
    shown_way = way(application, home, now)
    return {
        "now": now,
        "application": slug,
        "name": application.name,
        "region": home.region,
        "account": home.account,
        "applications": [_tab(each, now) for each in seen.cloud.applications.values()],
        "position": position(application),
        "truths": [{"kind": kind, "text": text} for kind, text in truths(shown_way)],
        "way": shown_way,
        "answers": list(_answers(application, now, since)),
        "marks": _marks(application, seen.stage, now),
        "alarms": [metric_alarm(each, home.metrics, now) for each in application.alarms],
        "composite_alarms": [composite_alarm(each) for each in application.composite_alarms],
        "events": events(home.bus, application, now),
        "calls": calls(seen.log.recent, now),
        "buckets": buckets(seen.cloud, home.account, home.region, now),
        "load": {
            **seen.stage["loads"].get(slug, {"rate": 0.0, "slow_percent": 0.0}),
            "arriving": _rate(application, now),
        },
        "switches": [
            {"switch": switch.name, "application": of, "value": value}
            for switch, of, value in seen.cloud.faults.on()
            if of in {"", slug}
        ],
        "scenario": seen.stage["scenario"],
        "offers": _offers(application),
    }


def _tab(application: Application, now: float) -> dict[str, Any]:
    return {
        "slug": application.slug,
        "name": application.name,
        "position": position(application),
        "alarm": is_firing(application),
        "rate": _rate(application, now),
        "failing": _rate(application, now, failed=True),
    }


def _rate(application: Application, now: float, *, failed: bool = False) -> float:
    """Requests a second that were answered lately, or of those the failed ones."""
    counts = application.load_balancer.answered.total(int(now) - RATE_SECONDS, int(now))
    return sum(count for each, count in counts.items() if each.status >= 400 or not failed) / RATE_SECONDS


def _answers(application: Application, now: float, since: float) -> Any:
    """Second, node, pool, status, cause, count. The present second is not over: it comes with the next view."""
    answered = application.load_balancer.answered
    for second, each, count in answered.rows(max(since, int(now) - KEPT_SECONDS), int(now)):
        yield [second, each.node, each.pool, each.status, each.cause, count]


def _marks(application: Application, stage: Mapping[str, Any], now: float) -> list[dict[str, Any]]:
    """What happened in the two minutes that the traffic is shown for."""
    scenario = stage["scenario"]
    played = scenario["told"] if scenario and scenario["application"] == application.slug else []
    marks: list[dict[str, Any]] = [
        {"at": each.state.transitioned, "kind": each.state.value, "text": f"{alarm.settings.name}: {each.state.value}"}
        for alarm in application.alarms
        for each in alarm.history
    ]
    marks += [{"at": each["at"], "kind": "story", "text": each["detail"]} for each in played if each["what"] == "story"]
    return sorted((each for each in marks if now - each["at"] < KEPT_SECONDS), key=lambda each: float(each["at"]))


def _offers(application: Application) -> dict[str, list[str]]:
    """What the parameters of accidents may be, by the parameter's name."""
    alarms = [each.settings.name for each in application.alarms]
    alarms += [each.settings.name for each in application.composite_alarms]
    running = [each.id for each in application.service.tasks.values() if each.status == "RUNNING"]
    paths = [each.paths[0] if each.paths else "" for each in application.listener.rules]
    return {"alarm": alarms, "task": ["", *running], "path": sorted(paths)}
