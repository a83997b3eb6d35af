"""One operation as a page shows it: who and why, how far it is, how long each part took."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from failover.milestones import Milestone, milestones
from failover.resume import stored_progress
from panel.fleet.applications import parsed
from panel.operations import timing
from panel.operations.models import Operation
from panel.operations.services import request_of
from panel.web import badges, sentences
from panel.web.badges import Badge

SHAPES = {"done": "✓", "now": "◐", "next": "○", "failed": "✕"}
ENDED = {Operation.Status.SUCCEEDED: "done"}
PARTS = {
    "alarm_to_webhook": "Alarm to webhook",
    "webhook_to_decision": "Webhook to decision",
    "decision_to_healthy": "Decision to healthy targets",
    "healthy_to_weights": "Healthy to weights",
    "weights_to_verified": "Weights to verified",
    "verified_to_baked": "Tasks kept after verified",
    "baked_to_scaled_in": "Then to scaled in",
    "total": "In all",
}


@dataclass(frozen=True)
class Run:
    operation: Operation
    title: str
    about: str
    who: str
    badge: Badge
    steps: tuple[Milestone, ...]

    @property
    def active(self) -> bool:
        return self.operation.status in Operation.ACTIVE

    @cached_property
    def parts(self) -> tuple[tuple[str, float], ...]:
        """How long each part took, by its label. Read when asked for: a row of the fleet does not show it."""
        measured = timing.parts(self.operation)
        return tuple((label, measured[name]) for name, label in PARTS.items() if name in measured)

    @property
    def may_be_tried_again(self) -> bool:
        return self.operation.status in (Operation.Status.FAILED, Operation.Status.CANCELLED)

    @property
    def at_step(self) -> int:
        """Which step is under way, counted from 1."""
        return min(len(self.steps), 1 + sum(step.state == "done" for step in self.steps))


def run(operation: Operation, now: float) -> Run:
    progress = stored_progress(operation.progress)
    policy = parsed(operation.document, operation.application.slug).policy
    ended = "" if operation.status in Operation.ACTIVE else ENDED.get(Operation.Status(operation.status), "failed")
    return Run(
        operation=operation,
        title=sentences.title(operation),
        about=sentences.pursuing(operation),
        who=sentences.who(operation),
        badge=badges.of_status(operation.status),
        steps=milestones(request_of(operation), policy, progress, now, ended=ended),
    )


def links(operation: Operation) -> list[tuple[str, Operation]]:
    """The operations that this one has to do with, and how."""
    earlier = (("Tries again", operation.retry_of), ("In place of", operation.supersedes))
    later = [("Tried again by", each) for each in operation.retries.order_by("pk")]
    after = getattr(operation, "superseded_by", None)  # raises where there is none, which is an AttributeError too
    found = [*earlier, *later, ("Replaced by", after)]
    return [(how, other) for how, other in found if other is not None]
