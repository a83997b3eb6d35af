"""When an incident's turns came, out of what the client, the lab and the panel recorded."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stack.phases import Moments, Request
from stack.watch import ON_ECS, ON_LAMBDA, Sight

ENOUGH_HEALTHY = 2
"""The policy's `min_healthy` of the application that has the incident."""


@dataclass(frozen=True)
class Delivery:
    """An attempt of the lab to deliver the event of an ALARM. Times are epoch seconds; status 0 means no answer."""

    changed: float
    answered: float
    status: int

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


def alarm_deliveries(state: Mapping[str, Any], slug: str) -> list[Delivery]:
    """Every attempt for this application's alarms that went to ALARM, out of the lab's `/_lab/state`."""
    names = {alarm["name"] for alarm in state["applications"][slug]["alarms"]}
    events = [each for each in state["events"] if each["alarm"] in names and each["state"] == "ALARM"]
    return [
        Delivery(event["accepted"], attempt["answered"], attempt["status"] or 0)
        for event in events
        for attempt in event["attempts"]
        if attempt["answered"]
    ]


def find_moments(
    requests: Sequence[Request],
    sights: Sequence[Sight],
    weight_writes: Sequence[float],
    deliveries: Sequence[Delivery],
    operations: Sequence[Mapping[str, Any]],
) -> Moments:
    """Put the records together; `weight_writes` are the times of the calls that changed weights, in order."""
    failover, failback = _oldest(operations, "failover"), _oldest(operations, "failback")
    arrived = [each for each in deliveries if each.accepted]
    verified = _time(failover, "finished_at")
    failover_write = _first(weight_writes)
    failback_write = _first(write for write in weight_writes if verified and write > verified)
    returned = _first_sight(sights, failback_write, lambda s: s.everywhere(ON_LAMBDA))
    return Moments(
        limit_reached=_limit_reached(requests, sights),
        alarm=_first(each.changed for each in arrived)
        or _first_sight(sights, 0, lambda s: "ALARM" in s.alarms.values()),
        webhook=_first(each.answered for each in arrived),
        decision=_time(failover, "created_at"),
        healthy=_first_sight(sights, 0, lambda s: s.healthy >= ENOUGH_HEALTHY),
        failover_write=failover_write,
        every_node_on_ecs=_first_sight(sights, failover_write, lambda s: s.everywhere(ON_ECS)),
        failover_verified=verified,
        failback_decision=_time(failback, "created_at"),
        failback_write=failback_write,
        failback_verified=returned,
        scaled_in=_first_sight(sights, returned, lambda s: s.desired == s.running == 0),
    )


def seconds(moments: Moments) -> dict[str, float | None]:
    """How long each stage took; None where one of its ends never came."""
    at = moments
    stages = {
        "alarm_to_webhook": (at.alarm, at.webhook),
        "webhook_to_decision": (at.webhook, at.decision),
        "decision_to_healthy": (at.decision, at.healthy),
        "healthy_to_weights": (at.healthy, at.failover_write),
        "weights_to_verified": (at.failover_write, at.failover_verified),
        "failover_total": (at.alarm, at.failover_verified),
        "failback_total": (at.failback_decision, at.scaled_in),
    }
    return {name: _between(*ends) for name, ends in stages.items()}


def _between(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else round(end - begin, 2)


def _limit_reached(requests: Sequence[Request], sights: Sequence[Sight]) -> float | None:
    refused = [each.sent for each in requests if each.failed and each.pool == "lambda"]
    seen = [each.at for each in sights if each.throttles]
    return min([*refused, *seen[:1]], default=None)


def _first(times: Iterable[float]) -> float | None:
    return next(iter(times), None)


def _first_sight(sights: Sequence[Sight], since: float | None, shows: Callable[[Sight], bool]) -> float | None:
    if since is None:
        return None
    return _first(sight.at for sight in sights if sight.at >= since and shows(sight))


def _oldest(operations: Sequence[Mapping[str, Any]], goal: str) -> Mapping[str, Any]:
    """The panel lists the newest first; a second failover would be another incident."""
    return next((each for each in reversed(operations) if each["goal"] == goal), {})


def _time(operation: Mapping[str, Any], key: str) -> float | None:
    return datetime.fromisoformat(operation[key]).timestamp() if operation.get(key) else None
