"""What an operator can do about drills: start one, rehearse, abort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext as _

from failover.model import Goal
from panel.drills import services
from panel.drills.models import Drill, Kind
from panel.fleet.applications import configuration
from panel.operations.models import Hold, Operation
from panel.web import forms, plans
from panel.web.action import Action, Plan
from panel.web.subjects import Subject
from panel.web.times import span
from panel.words import gettext_lazy


@dataclass(frozen=True)
class DrillSubject:
    """A drill that is to be aborted, as `panel.web.subjects.About` has it."""

    drill: Drill

    @property
    def name(self) -> str:
        return self.drill.application.name

    @property
    def back(self) -> str:
        return reverse("web:drill", args=[self.drill.pk])

    @property
    def hold(self) -> Hold | None:
        return None

    @property
    def active(self) -> Operation | None:
        return None

    @property
    def team(self) -> int | None:
        return self.drill.application.team_id

    @property
    def slug(self) -> str:
        return self.drill.application.slug

    @property
    def about(self) -> str:
        return str(self.drill)


def _start(kind: Kind) -> Callable[[Subject, dict[str, Any], User], object]:
    def run(subject: Subject, given: dict[str, Any], user: User) -> object:
        return services.start_drill(subject.standing.application, kind, reason=given["reason"], user=user)

    return run


def _plan(kind: Kind) -> Callable[[Subject], Plan]:
    def plan(subject: Subject) -> Plan:
        row = subject.standing.application
        application = configuration(row)
        refused = services.against(row, kind)
        stops = (
            (_("It can't start now: %(reason)s %(remedy)s") % {"reason": refused.reason, "remedy": refused.remedy},)
            if refused
            else ()
        )
        there = plans.steps(Goal.FAILOVER, application, subject.standing.snapshot)
        back = plans.steps(Goal.FAILBACK, application, subject.standing.snapshot)
        if kind is Kind.REHEARSAL:
            ends = _("An alarm ends it at once: its tasks stay, for the failover that follows.")
            return Plan((*there[:2], _("No traffic moves: weights are not touched."), back[-1], ends), stops)
        stay = _("Traffic stays on ECS for %(stay_seconds)s.") % {"stay_seconds": span(application.drills.stay_seconds)}
        ends = _("A real alarm ends the drill: then traffic stays on ECS until the alarm is OK.")
        return Plan((*there[:-1], stay, *back, ends), stops)

    return plan


def _abort(subject: DrillSubject, given: dict[str, Any], user: User) -> None:
    services.abort_drill(subject.drill, reason=given["reason"], user=user)


def _abort_plan(subject: DrillSubject) -> Plan:
    if subject.drill.rehearses:
        return Plan((_("It starts no more tasks, and stops those that it started."),))
    return Plan(
        (
            _("It goes no further, and brings traffic home by an ordinary failback, where Lambda is known to answer."),
            _("The drill is recorded as interrupted."),
        )
    )


ACTIONS: dict[str, Action[Subject]] = {
    "drill": Action(
        gettext_lazy("Drill {}"),
        gettext_lazy("Start the drill"),
        forms.ReasonForm,
        _plan(Kind.DRILL),
        _start(Kind.DRILL),
    ),
    "rehearsal": Action(
        gettext_lazy("Rehearse the start of {} on ECS"),
        gettext_lazy("Start the rehearsal"),
        forms.ReasonForm,
        _plan(Kind.REHEARSAL),
        _start(Kind.REHEARSAL),
    ),
}
ON_DRILL: dict[str, Action[DrillSubject]] = {
    "abort": Action(
        gettext_lazy("Abort the drill of {}"),
        gettext_lazy("Abort it"),
        forms.ReasonForm,
        _abort_plan,
        _abort,
        kind="primary danger",
    ),
}
