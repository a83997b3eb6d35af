"""The naive controller and ours, side by side: one surge that ends, one that does not, and tasks started early."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bench import controllers
from bench.figures import Figure
from bench.incident import Played, Stage, play
from bench.seen import Seen

# Requests a second, and how many percent of them take 5 s: always the same mix, more or less of it. A calm of more
# quick requests would raise the alarms by itself where the machine stands still for a moment.
CALM = (22.0, 2.4)  # two to three executions at a time
BUSY = (50.0, 2.4)  # six to seven: over the prewarm alarm's threshold, under the others'
SURGE = (150.0, 2.4)  # eighteen, more than the function may run

THERE_AND_BACK = (Stage("calm", 30, *CALM), Stage("surge", 50, *SURGE), Stage("calm again", 100, *CALM))
ENDLESS = (Stage("calm", 30, *CALM), Stage("surge", 90, *SURGE))
GROWING = (Stage("calm", 10, *CALM), Stage("busy", 35, *BUSY), Stage("surge", 30, *SURGE))

NAIVE, OURS = "naive", "ours"
REASONS = {
    ("lambda", 502): "Lambda was at its limit (502)",
    ("ecs", 502): "the task did not answer, or was stopped under the request (502)",
    ("ecs", 503): "weight on a group without targets (503)",
    ("ecs", 504): "the task did not answer in time (504)",
}


def measure() -> list[Figure]:
    """Both controllers through both surges."""
    figures = []
    for name, controller, scheduled in (
        (NAIVE, controllers.naive, False),
        (OURS, controllers.ours(prewarm=False), True),
    ):
        figures += list(_there_and_back(name, play(f"{name}-surge", THERE_AND_BACK, controller, scheduled=scheduled)))
        figures += list(_endless(name, play(f"{name}-endless", ENDLESS, controller, scheduled=scheduled)))
    return figures


def measure_prewarm() -> list[Figure]:
    """Ours through a load that grows, without and with an alarm that warns early."""
    figures = []
    for name, prewarm in (("without", False), ("with prewarm", True)):
        log = "prewarm" if prewarm else "no-prewarm"
        seen = Seen(play(log, GROWING, controllers.ours(prewarm=prewarm), scheduled=True))
        figures += [
            Figure("requests sent", seen.sent, of=name, better=""),
            Figure("answered 502 by a throttled Lambda", seen.lost["lambda", 502], of=name),
            Figure("lost on ECS or at the load balancer", _own_losses(seen), of=name, most=0),
            Figure("alarm to first weight write", seen.alarm_to_write, "s", of=name),
            Figure("failover's decision to first weight write", seen.decision_to_write, "s", of=name),
        ]
    return figures


def _there_and_back(name: str, played: Played) -> Iterator[Figure]:
    seen, judged = Seen(played), name == OURS
    better = "lower" if judged else ""
    yield Figure("requests sent", seen.sent, of=name, better="")
    yield Figure("requests lost", seen.lost.total(), of=name, better=better)
    for stage, count in seen.lost_by_stage.items():
        yield Figure(f"… in {stage}", count, of=name, better="")
    for (pool, status), count in sorted(_with_reasons(seen.lost).items()):
        yield Figure(f"… {REASONS.get((pool, status)) or _unnamed(pool, status)}", count, of=name, better="")
    yield Figure("lost on ECS or at the load balancer", _own_losses(seen), of=name, better=better, most=_if(judged, 0))
    yield Figure("AWS calls", seen.calls, of=name, better=better)
    yield Figure("… that write", seen.writes, of=name, better="")
    yield Figure("alarm to first weight write", seen.alarm_to_write, "s", of=name, better=better)
    yield Figure("from there until every node has the new weights", seen.write_to_nodes, "s", of=name, better=better)
    yield Figure("failovers", seen.failovers, of=name, better="", most=_if(judged, 1), least=_if(judged, 1))
    yield Figure("failbacks", seen.failbacks, of=name, better="", most=_if(judged, 1), least=_if(judged, 1))
    yield Figure("tasks wanted at the end", seen.tasks, of=name, better="", most=_if(judged, 0))


def _endless(name: str, played: Played) -> Iterator[Figure]:
    seen, judged = Seen(played), name == OURS
    surge = "a surge that does not end"
    yield Figure(f"{surge}: failovers", seen.failovers, of=name, better="", most=_if(judged, 1), least=_if(judged, 1))
    yield Figure(f"{surge}: failbacks", seen.failbacks, of=name, better="", most=_if(judged, 0))
    yield Figure(f"{surge}: requests lost", seen.lost.total(), of=name, better="lower" if judged else "")
    own = f"{surge}: on ECS or at the load balancer"
    yield Figure(own, _own_losses(seen), of=name, better="", most=_if(judged, 0))


def _own_losses(seen: Seen) -> int:
    """What a controller could have prevented: Lambda at its limit loses requests whoever controls it."""
    return seen.lost.total() - seen.lost["lambda", 502]


def _with_reasons(lost: Counter[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Those that have a name are always shown, so that both columns have them."""
    return dict.fromkeys(REASONS, 0) | dict(lost)


def _unnamed(pool: str, status: int) -> str:
    return f"answered {status} by {pool or 'the load balancer'}" if status else "no answer"


def _if(judged: bool, limit: float) -> float | None:  # noqa: FBT001 - reads as it is called
    return limit if judged else None
