"""What automation answers with, what it is told of people's decisions, and how those stand in its way."""

from __future__ import annotations

from dataclasses import dataclass

from failover.capacity import DEPLOY
from failover.model import Goal, Memory, Mode, Policy, Progress, Request, Service

RETRY_SECONDS = 60.0  # what failed is tried again after this long at the earliest
PEOPLE_FIRST = "people_first"


@dataclass(frozen=True)
class Acknowledgement:
    """A person has looked at what failed. Raises ValueError without a comment: the next one on call needs it."""

    at: float
    by: str
    comment: str

    def __post_init__(self) -> None:
        if not self.comment.strip():
            raise ValueError("An acknowledgement needs a comment: what was found, and why it may go on.")


@dataclass(frozen=True)
class Situation:
    """What people decided and what ran before; AWS knows none of it.

    `hold` and `active` are sentences, empty where there is none; `hold_rule` is the rule that placed the hold, empty
    where a person did. The last failures (epoch seconds) are None where the newest operation of that kind did not fail.
    """

    mode: Mode
    hold: str = ""
    hold_rule: str = ""
    kill_switch: bool = False
    active: str = ""
    active_goal: Goal | None = None
    last_failure_at: float | None = None
    last_failback_failure_at: float | None = None
    last_prepare_failure_at: float | None = None
    acknowledgement: Acknowledgement | None = None


@dataclass(frozen=True)
class Start:
    """`tasks` is how many tasks an operation that only prepares asks for. `page` says why people are needed, if so."""

    request: Request
    reason: str
    tasks: int = 0
    page: str = ""

    def progress(self, memory: Memory) -> Progress:
        """What the operation starts with."""
        return Progress(memory=memory, wanted=self.tasks)


@dataclass(frozen=True)
class Refused:
    """`hold_minutes` asks whoever runs this to hold the application that long; `page` says why people are needed."""

    goal: Goal
    rule: str
    reason: str
    remedy: str
    hold_minutes: int = 0
    page: str = ""


Verdict = Start | Refused


def blocked(goal: Goal, situation: Situation, trigger: str, *, in_spite_of: str = "") -> Refused | None:
    """What people or a running operation put in the way, the strongest first. `in_spite_of` names a hold's rule that
    does not bind here.
    """
    would = f"{trigger}; it would have started a {goal.value}"
    if situation.kill_switch:
        return Refused(goal, "kill_switch", f"{would}, but the kill switch is on.", "Turn the kill switch off.")
    if situation.mode is not Mode.AUTO:
        return Refused(goal, "mode", f"{would}, but the mode is {situation.mode.value}.", "Set the mode to auto.")
    if situation.hold and not (in_spite_of and situation.hold_rule == in_spite_of):
        return Refused(goal, "hold", f"{would}, but: {situation.hold}", "Release the hold or let it expire.")
    if situation.active:
        return Refused(goal, "single_writer", f"{would}, but {situation.active}", "Wait for it to end, or cancel it.")
    return None


def launches_nothing(goal: Goal, service: Service | None) -> Refused | None:
    """Tasks can't be asked for of a service whose deployment failed."""
    if service is None or not service.deployment_failed:
        return None
    return Refused(goal, "capacity", "The ECS service's deployment failed: it launches no more tasks.", DEPLOY)


def failed_lately(policy: Policy, memory: Memory, situation: Situation, now: float) -> Refused | None:
    """An automatic operation that failed keeps the next failback back until its back-off has passed or a person has
    acknowledged it: traffic is safe where it is. A failover never waits for that.

    Each failback that fails costs users requests on its first step, so each doubles the back-off as it does the dwell.
    """
    failures = (situation.last_failure_at, situation.last_failback_failure_at)
    failed_at = max((at for at in failures if at is not None), default=None)
    known = situation.acknowledgement
    if failed_at is None or (known is not None and known.at >= failed_at):
        return None
    left = max(policy.cooldown_seconds, RETRY_SECONDS) * memory.dwell_factor - (now - failed_at)
    if left <= 0:
        return None
    what = "failback" if failed_at == situation.last_failback_failure_at else "failover"
    remedy = f"Look at why it failed and acknowledge it; it is tried again by itself in {left:.0f} s."
    return Refused(Goal.FAILBACK, "cooldown", f"The last {what} failed.", remedy)
