"""What can be seen in the lab while an incident passes, and the changes worth telling."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stack.laboratory import Laboratory

LOOK_SECONDS = 0.5

Split = tuple[int, int]
"""Percent on Lambda, percent on ECS."""
ON_LAMBDA: Split = (100, 0)
ON_ECS: Split = (0, 100)


@dataclass(frozen=True)
class Sight:
    """One application at one moment (epoch seconds).

    `written` is the split of each route as AWS answers it, `nodes` what each of the load balancer's nodes does.
    """

    at: float
    alarms: dict[str, str]
    written: dict[str, Split]
    nodes: dict[str, Split]
    desired: int
    running: int
    healthy: int
    throttles: int

    def everywhere(self, split: Split) -> bool:
        return {*self.written.values(), *self.nodes.values()} == {split}


def sight(state: Mapping[str, Any], slug: str) -> Sight:
    """Read one application out of the lab's `/_lab/state`."""
    application = state["applications"][slug]
    groups = application["target_groups"]
    balancer, service = application["load_balancer"], application["service"]
    pools = (groups["lambda"]["arn"], groups["ecs"]["arn"])
    names = {rule["arn"]: ", ".join(rule["paths"]) or "the listener" for rule in balancer["rules"]}
    return Sight(
        at=state["now"],
        alarms={alarm["name"]: alarm["state"] for alarm in application["alarms"]},
        written={names[rule["arn"]]: _percent(rule["weights"], pools) for rule in balancer["rules"]},
        nodes={
            f"{name}, {names[arn]}": _percent(weights, pools)
            for name, node in balancer["nodes"].items()
            for arn, weights in node["weights"].items()
        },
        desired=service["desired"],
        running=sum(task["status"] not in {"PROVISIONING", "PENDING", "STOPPED"} for task in service["tasks"]),
        healthy=sum(target["state"] == "healthy" for target in groups["ecs"]["targets"]),
        throttles=application["function"]["throttles"],
    )


def _percent(weights: Mapping[str, int], pools: tuple[str, str]) -> Split:
    on_lambda, on_ecs = (weights.get(arn, 0) for arn in pools)
    percent = round(100 * on_lambda / max(on_lambda + on_ecs, 1))
    return percent, 100 - percent


def changes(before: Sight, now: Sight) -> Iterator[tuple[str, str]]:
    """What became different, as (what, detail)."""
    if before.throttles == 0 < now.throttles:
        yield "throttled", "Lambda is at its limit; the load balancer answers 502"
    for name, state in now.alarms.items():
        if state != before.alarms.get(name):
            yield "alarm", f"{name} is {state}"
    if now.desired != before.desired:
        yield "tasks", f"desired count {before.desired} → {now.desired}"
    if now.healthy != before.healthy and now.desired:
        yield "tasks", f"{now.healthy} of {now.desired} healthy behind the load balancer"
    yield from _moved("weights", before.written, now.written)
    yield from _moved("node", before.nodes, now.nodes)


def _moved(what: str, before: dict[str, Split], now: dict[str, Split]) -> Iterator[tuple[str, str]]:
    for name, (on_lambda, on_ecs) in now.items():
        if (on_lambda, on_ecs) != before.get(name):
            yield what, f"{name}: Lambda {on_lambda} %, ECS {on_ecs} %"


@dataclass
class Watch:
    """Looks at one application of a lab twice a second, keeps every sight and tells each change."""

    lab: Laboratory
    slug: str
    tell: Callable[[str, str], None]
    sights: list[Sight] = field(default_factory=list)

    async def look(self) -> None:
        """Look until cancelled."""
        while True:
            # A lab that died ends the stack; one that is late is asked again.
            with contextlib.suppress(OSError):
                self._see(sight(await self.lab.state(), self.slug))
            await asyncio.sleep(LOOK_SECONDS)

    def _see(self, now: Sight) -> None:
        for what, detail in changes(self.sights[-1], now) if self.sights else ():
            self.tell(what, detail)
        self.sights.append(now)

    async def until(self, condition: Callable[[Sight], bool]) -> None:
        while not (self.sights and condition(self.sights[-1])):  # noqa: ASYNC110 - the condition is the caller's
            await asyncio.sleep(LOOK_SECONDS)
