"""One operation as a page shows it: who and why, how far it is, how long each part took."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from failover.milestones import Milestone, milestones
from failover.resume import stored_progress
from panel.fleet import history
from panel.fleet.applications import parsed
from panel.operations import timing
from panel.operations.models import Operation
from panel.operations.services import request_of
from panel.web import badges, sentences
from panel.web.badges import Badge
from panel.words import gettext_lazy

SHAPES = {"done": "✓", "now": "◐", "next": "○", "failed": "✕"}
STATES = {
    "done": gettext_lazy("done"),
    "now": gettext_lazy("under way"),
    "next": gettext_lazy("to come"),
    "failed": gettext_lazy("failed"),
}
ENDED = {Operation.Status.SUCCEEDED: "done"}
PARTS = {
    "alarm_to_webhook": gettext_lazy("Alarm to webhook"),
    "webhook_to_decision": gettext_lazy("Webhook to decision"),
    "decision_to_healthy": gettext_lazy("Decision to healthy targets"),
    "healthy_to_weights": gettext_lazy("Healthy to weights"),
    "weights_to_verified": gettext_lazy("Weights to verified"),
    "verified_to_baked": gettext_lazy("Tasks kept after verified"),
    "baked_to_scaled_in": gettext_lazy("Then to scaled in"),
    "total": gettext_lazy("In all"),
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

    @property
    def how_far(self) -> str:
        return _("step %(step)d of %(steps)d") % {"step": self.at_step, "steps": len(self.steps)}


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


@dataclass(frozen=True)
class Report:
    """What an operation that has ended did to those who asked: `counted` is None where nothing was kept of its time."""

    counted: history.Totals | None
    lost: int

    @property
    def sentence(self) -> str:
        if self.counted is None:
            return _("Nothing is known of its requests: no samples were kept of that time.")
        if not self.lost:
            return _("No request of %(requests)s was lost in its minutes.") % {"requests": self.counted.requests}
        return _("%(lost)s of %(requests)s requests failed or were throttled in its minutes.") % {
            "lost": self.lost,
            "requests": self.counted.requests,
        }


def report(operation: Operation) -> Report | None:
    """None while it runs."""
    if operation.finished_at is None:
        return None
    metrics = history.between(operation.application, operation.created_at, operation.finished_at)
    known = any(metrics.series.values())
    counted = history.totals(metrics) if known else None
    return Report(counted, counted.failed + counted.throttles if counted else 0)


def links(operation: Operation) -> list[tuple[str, Operation]]:
    """The operations that this one has to do with, and how."""
    earlier = ((_("Tries again"), operation.retry_of), (_("In place of"), operation.supersedes))
    later = [(_("Tried again by"), each) for each in operation.retries.order_by("pk")]
    after = getattr(operation, "superseded_by", None)  # raises where there is none, which is an AttributeError too
    found = [*earlier, *later, (_("Replaced by"), after)]
    return [(how, other) for how, other in found if other is not None]
