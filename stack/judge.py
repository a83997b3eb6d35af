"""Whether an incident ended well, condition by condition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stack.phases import Moments, Request, failures_by_phase, requests_per_second, slow_in_flight
from stack.watch import ON_ECS, ON_LAMBDA, Split

MIN_REQUESTS_PER_SECOND = 50
# What failed before the shift is the incident itself; from the first write on it would be our doing.
WHOLE_CYCLE = ("failover_shift", "on_ecs", "failback_shift", "after")


@dataclass(frozen=True)
class Evidence:
    """What was seen from outside: by the client, and in the lab. Sequences are in order, without repetitions."""

    requests: list[Request]
    moments: Moments
    splits: Sequence[Split]
    desired_counts: Sequence[int]
    alarm_states_set_by_call: int
    webhook_statuses: Sequence[int]


@dataclass(frozen=True)
class Condition:
    name: str
    holds: bool
    seen: str


def judge(evidence: Evidence, clean_phases: Sequence[str] = WHOLE_CYCLE) -> list[Condition]:
    """Every condition for a good end, each with what was seen.

    `clean_phases` are those in which no request may fail, as the scenario says; with all of them it is a whole cycle,
    in which traffic and tasks came and went.
    """
    return list(_conditions(evidence, clean_phases))


def _conditions(evidence: Evidence, clean_phases: Sequence[str]) -> Iterator[Condition]:
    if set(clean_phases) >= set(WHOLE_CYCLE):
        yield from _there_and_back(evidence)
    rate = requests_per_second(evidence.requests)
    yield Condition(
        f"the client sent at least {MIN_REQUESTS_PER_SECOND} requests a second",
        rate >= MIN_REQUESTS_PER_SECOND,
        f"{rate:.1f}",
    )
    yield from _in_flight(evidence, clean_phases)
    failed = failures_by_phase(evidence.requests, evidence.moments)
    for name in clean_phases:
        yield Condition(f"no request failed in {name}", failed[name] == 0, f"{failed[name]} failed")
    yield from _alarm(evidence)


def _there_and_back(evidence: Evidence) -> Iterator[Condition]:
    splits = " → ".join(f"{on_lambda}/{on_ecs}" for on_lambda, on_ecs in evidence.splits)
    yield Condition(
        "traffic went from Lambda to ECS and back", _in_order(evidence.splits, ON_LAMBDA, ON_ECS, ON_LAMBDA), splits
    )
    yield Condition(
        "the desired count went from 0 up and back to 0",
        _goes_up_and_back(evidence.desired_counts),
        " → ".join(map(str, evidence.desired_counts)),
    )


def _in_flight(evidence: Evidence, clean_phases: Sequence[str]) -> Iterator[Condition]:
    """A shift proves that it cuts nothing only where there was something to cut."""
    moments = evidence.moments
    for shift, write in (("failover", moments.failover_write), ("failback", moments.failback_write)):
        if f"{shift}_shift" in clean_phases:
            count = slow_in_flight(evidence.requests, write)
            yield Condition(f"5 s requests were in flight when the {shift} moved traffic", count > 0, str(count))


def _alarm(evidence: Evidence) -> Iterator[Condition]:
    by_call = evidence.alarm_states_set_by_call
    yield Condition(
        "the lab's own metrics raised the alarm",
        evidence.moments.alarm is not None and by_call == 0,
        f"{by_call} states set by call" if evidence.moments.alarm else "no alarm",
    )
    delivered = [status for status in evidence.webhook_statuses if 200 <= status < 300]
    yield Condition(
        "the lab delivered the alarm to the webhook",
        bool(delivered),
        ", ".join(map(str, evidence.webhook_statuses)) or "no delivery",
    )


def _in_order(seen: Sequence[Split], *wanted: Split) -> bool:
    """Whether `seen` starts with the first, ends with the last, and has the others between in this order."""
    rest = iter(seen)
    return all(each in rest for each in wanted) and seen[-1] == wanted[-1] and seen[0] == wanted[0]


def _goes_up_and_back(counts: Sequence[int]) -> bool:
    return len(counts) >= 3 and counts[0] == counts[-1] == 0 and max(counts) > 0
