"""Whether a scenario ended as its file says."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lab.alarms import ALARM
from lab.conditions import position
from lab.scenario import EndTable
from lab.world import Application


@dataclass(frozen=True)
class Finding:
    """One thing that the end asks for, and what was seen."""

    name: str
    holds: bool
    seen: str


def judge_world(end: EndTable, application: Application, positions: Sequence[str], *, missed: str) -> list[Finding]:
    """What the end asks of the world itself."""
    return [
        Finding("everything came in time", not missed, f"waited for {missed}" if missed else "yes"),
        *_standing(end, application),
        *_moves(end, positions),
    ]


def judge_losses(may_lose: Collection[str], lost: Mapping[str, int]) -> list[Finding]:
    """What the end asks of the requests that failed, counted by pool; "none" is the load balancer itself."""
    names = {"lambda": "on Lambda", "ecs": "on ECS", "none": "at the load balancer"}
    return [
        Finding(f"no request failed {name}", not lost.get(pool), f"{lost.get(pool, 0)} failed")
        for pool, name in names.items()
        if pool not in may_lose
    ]


def _standing(end: EndTable, application: Application) -> Iterator[Finding]:
    if end.position:
        seen = position(application)
        yield Finding(f"the weights are at {end.position}", seen == end.position, seen)
    if end.tasks:
        desired = application.service.desired
        yield Finding(
            f"ECS has {'no ' if end.tasks == 'none' else ''}tasks",
            (desired > 0) == (end.tasks == "some"),
            f"desired {desired}",
        )
    if end.alarm:
        firing = [alarm.settings.name for alarm in application.alarms if alarm.state.value == ALARM]
        seen = f"{' and '.join(firing)} in ALARM" if firing else "none in ALARM"
        yield Finding(f"the alarms are {end.alarm}", bool(firing) == (end.alarm == "ALARM"), seen)


def _moves(end: EndTable, positions: Sequence[str]) -> Iterator[Finding]:
    for name, wanted, home in (("failovers", end.failovers, "ecs"), ("failbacks", end.failbacks, "lambda")):
        if wanted is not None:
            seen = arrivals(positions, home)
            yield Finding(f"{name}: {wanted}", seen == wanted, f"{seen}: {' → '.join(positions)}")
    if end.most_failovers is not None:
        seen = arrivals(positions, "ecs")
        yield Finding(f"failovers: {end.most_failovers} at the most", seen <= end.most_failovers, str(seen))


def arrivals(positions: Sequence[str], place: str) -> int:
    """How often the weights came wholly to a pool from wholly at the other; a shift that went back is none."""
    whole = [each for each in positions if each != "split"]
    return sum(after == place != before for before, after in pairwise(whole))
