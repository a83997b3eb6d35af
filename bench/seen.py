"""What a played incident shows: losses, moves of the weights, and how long they took."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from bench.configuration import PREWARM, SLUG
from bench.incident import Played
from lab.ending import arrivals
from stack.watch import ON_ECS, ON_LAMBDA, Sight

WEIGHT_WRITES = frozenset({"ModifyListener", "ModifyRule"})


@dataclass(frozen=True)
class Seen:
    """Times in seconds; None for what did not come."""

    played: Played

    @property
    def sent(self) -> int:
        return len(self.played.records)

    @cached_property
    def lost(self) -> Counter[tuple[str, int]]:
        """By pool and status; status 0 is no answer."""
        return Counter((record.pool, record.status) for record in self.played.records if not record.ok)

    @property
    def lost_by_stage(self) -> dict[str, int]:
        """By the stage in which they were sent."""
        places = (
            bisect_right(self.played.starts, record.started) - 1 for record in self.played.records if not record.ok
        )
        lost = Counter(max(place, 0) for place in places)
        return {stage.name: lost[number] for number, stage in enumerate(self.played.stages)}

    @property
    def calls(self) -> int:
        return int(self.played.calls["total"])

    @property
    def writes(self) -> int:
        """Without those of the lease, which AWS does not hear of as a change to the application."""
        return sum(write["service"] != "dynamodb" for write in self.played.calls["writes"])

    @property
    def alarm_to_write(self) -> float | None:
        return _between(self._alarm, self._first_write)

    @property
    def write_to_nodes(self) -> float | None:
        return _between(self._first_write, self._everywhere)

    @property
    def decision_to_write(self) -> float | None:
        """From the failover's decision, as the controller's log has it."""
        starts = (
            at for at, kind, message in self.played.told.lines if kind == "start" and message.startswith("failover")
        )
        return _between(next(starts, None), self._first_write)

    @cached_property
    def positions(self) -> list[str]:
        return [_position(sight) for sight in self.played.sights]

    @property
    def failovers(self) -> int:
        return arrivals(self.positions, "ecs")

    @property
    def failbacks(self) -> int:
        return arrivals(self.positions, "lambda")

    @property
    def tasks(self) -> int:
        return self.played.sights[-1].desired

    @cached_property
    def _alarm(self) -> float | None:
        alarms = self.played.state["applications"][SLUG]["alarms"]
        return min(
            (
                change["at"]
                for alarm in alarms
                for change in alarm["history"]
                if alarm["name"] != PREWARM and change["to"] == "ALARM"
            ),
            default=None,
        )

    @cached_property
    def _first_write(self) -> float | None:
        """The first since the alarm."""
        writes = (write["at"] for write in self.played.calls["writes"] if write["action"] in WEIGHT_WRITES)
        return _since(self._alarm, writes)

    @property
    def _everywhere(self) -> float | None:
        return _since(self._first_write, (sight.at for sight in self.played.sights if sight.everywhere(ON_ECS)))


def _since(begin: float | None, times: Iterable[float]) -> float | None:
    return None if begin is None else next((at for at in times if at >= begin), None)


def _between(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None else round(end - begin, 2)


def _position(sight: Sight) -> str:
    splits = {*sight.written.values()}
    return "lambda" if splits == {ON_LAMBDA} else "ecs" if splits == {ON_ECS} else "split"
