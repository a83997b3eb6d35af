"""The plan that an action's page shows: the controller's own, run forward from what AWS showed last."""

from __future__ import annotations

from dataclasses import dataclass, replace

from failover import codec
from failover.model import Kind, Memory, Request
from failover.plan import Plan, PlanStep, foresee
from failover.rules import OVERRIDABLE
from panel.fleet.applications import configuration
from panel.web.standing import Standing

SHORT = 2.0  # seconds; a step that only reads back what was written


@dataclass(frozen=True)
class Foreseen:
    """`plan` is what would happen. Where rules that may be overridden stand in its way, `in_the_way` names them and
    `overriding` is what would happen without them.
    """

    plan: Plan
    in_the_way: tuple[str, ...] = ()
    overriding: Plan | None = None

    @property
    def goes_through(self) -> bool:
        return self.plan.outcome is Kind.DONE

    @property
    def passed(self) -> tuple[str, ...]:
        """The rules that every write of the plan keeps."""
        judged = [verdict for step in self.plan.steps for verdict in step.rules]
        broken = {verdict.rule for verdict in judged if not verdict.passes}
        return tuple(dict.fromkeys(verdict.rule for verdict in judged if verdict.rule not in broken))

    @property
    def steps(self) -> tuple[PlanStep, ...]:
        """Those worth reading: what changes something, or takes its time."""
        return tuple(step for step in self.way.steps if step.changes or step.seconds >= SHORT)

    @property
    def way(self) -> Plan:
        """The plan whose steps are worth showing."""
        return self.overriding or self.plan


def foreseen(standing: Standing, request: Request) -> Foreseen | None:
    """None where AWS was not read yet."""
    snapshot = standing.snapshot
    if snapshot is None:
        return None
    application = configuration(standing.application)
    memory = codec.decode(Memory, standing.application.memory)

    def run(overridden: frozenset[str]) -> Plan:
        wanted = replace(request, override=request.override | overridden)
        return foresee(application, wanted, snapshot, memory, standing.now)

    first = last = run(frozenset())
    found: tuple[str, ...] = ()
    while last.outcome is not Kind.DONE and last.rule in OVERRIDABLE and last.rule not in found:
        found = (*found, last.rule)
        last = run(frozenset(found))
    return Foreseen(first, found, last if found else None)
