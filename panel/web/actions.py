"""What an operator can do to an application or an operation: move traffic, cancel, try again, and the brakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from failover import codec
from failover.model import Goal, Memory, Request, Split
from failover.plan import digest
from panel.fleet import applications
from panel.operations import services
from panel.operations.models import Operation
from panel.web import brakes, drilling, forms, plans, sentences
from panel.web.action import Action, Plan
from panel.web.foreseen import foreseen
from panel.web.subjects import Subject
from panel.words import gettext_lazy


def _moving(goal: Goal) -> Callable[[Subject], Plan]:
    def plan(subject: Subject) -> Plan:
        standing = subject.standing
        application = applications.configuration(standing.application)
        memory = codec.decode(Memory, standing.application.memory)
        words = plans.steps(goal, application, standing.snapshot)
        warnings = plans.warnings(goal, application, standing, memory)
        # What an operation under way is changing can't be confirmed as it stands, nor foreseen.
        if standing.active or standing.snapshot is None:
            return Plan(words, warnings)
        request = Request(goal, Split(*subject.weights) if subject.weights else None)
        if goal is Goal.SET_WEIGHTS and not subject.weights:
            return Plan(words, warnings, digest(application, request, standing.snapshot))
        found = foreseen(standing, request)
        if found and not found.goes_through:  # it says so itself, and why
            warnings = tuple(each for each in warnings if not each.startswith(str(plans.MAY_NOT_FIT)))
        return Plan(
            words,
            warnings,
            found.plan.digest if found else "",
            foreseen=found,
            afterwards="" if goal is Goal.FAILBACK else plans.PEOPLE_FIRST,
        )

    return plan


def _request(goal: Goal) -> Callable[[Subject, dict[str, Any], User], object]:
    def run(subject: Subject, given: dict[str, Any], user: User) -> Operation:
        weights = (given["weight_lambda"], given["weight_ecs"]) if goal is Goal.SET_WEIGHTS else None
        override = _overridden(subject, given)
        asked = {
            "reason": given["reason"],
            "user": user,
            "weights": weights,
            "override": override,
            "digest": given["overriding"] if override else given["digest"],
            "idempotency_key": given["key"],
        }
        if given["supersedes"] and not services.replayed(user, given["key"]):
            return services.supersede_operation(_to_be_replaced(subject, given["supersedes"]), goal, **asked)
        application = subject.standing.application
        return services.request_operation(application, goal, trigger=Operation.Trigger.MANUAL, **asked)

    return run


def _overridden(subject: Subject, given: dict[str, Any]) -> tuple[str, ...]:
    """The rules that the page named and that were overridden by typing the application's name. Raises Invalid."""
    if not given["override"]:
        return ()
    slug = subject.standing.application.slug
    if given["typed"].strip() != slug:
        raise services.Invalid(
            "typed", _("To override a rule, type the application's name: %(slug)s.") % {"slug": slug}
        )
    return tuple(rule for rule in given["rules"].split(",") if rule)


def _to_be_replaced(subject: Subject, named: str) -> Operation:
    """What was confirmed was to end one operation, and no other that may run by now."""
    active = subject.active
    if active is None or str(active.pk) != named:
        raise services.Refused(
            "ended",
            _("The operation that was to be replaced has ended."),
            _("Look at what runs now, and decide again."),
        )
    return active


def _present_weights(subject: Subject) -> dict[str, Any]:
    split = subject.standing.snapshot.split if subject.standing.snapshot else None
    weights = subject.weights or ((split.lambda_, split.ecs) if split else None)
    return {"weight_lambda": weights[0], "weight_ecs": weights[1]} if weights else {}


def _cancel(subject: Subject, given: dict[str, Any], user: User) -> None:
    if subject.operation is None:
        raise services.Refused("ended", _("There is no operation to cancel."), _("Nothing is left to do."))
    services.cancel_operation(subject.operation, reason=given["reason"], user=user)


def _cancel_plan(subject: Subject) -> Plan:  # noqa: ARG001 - every plan takes its subject
    return Plan(
        (
            _("It stops before its next change and ends with traffic on a pool that is known to be healthy."),
            _("Tasks that were started stay up. Afterwards you decide what comes next."),
        ),
    )


def _retry(subject: Subject, given: dict[str, Any], user: User) -> object:
    if subject.operation is None:
        raise services.Refused(
            "retry", _("There is no operation to try again."), _("Start one on the application's page.")
        )
    return services.retry_operation(subject.operation, reason=given["reason"], user=user, idempotency_key=given["key"])


def _retry_plan(subject: Subject) -> Plan:
    old = subject.operation
    if old is None:
        return Plan(())
    again = _("A new operation asks for the same: %(old)s.") % {"old": sentences.pursuing(old)}
    fresh = _("It reads AWS and decides anew; nothing of how far this one came is taken for granted.")
    overridden = (_("What this one overrode is not overridden again."),) if old.override else ()
    return Plan((again, fresh), overridden)


ACTIONS: dict[str, Action[Subject]] = {
    "failover": Action(
        gettext_lazy("Fail over {} to ECS"),
        gettext_lazy("Fail over"),
        forms.MovingForm,
        _moving(Goal.FAILOVER),
        _request(Goal.FAILOVER),
        goal=Goal.FAILOVER,
    ),
    "failback": Action(
        gettext_lazy("Fail back {} to Lambda"),
        gettext_lazy("Fail back"),
        forms.MovingForm,
        _moving(Goal.FAILBACK),
        _request(Goal.FAILBACK),
        goal=Goal.FAILBACK,
    ),
    "set_weights": Action(
        gettext_lazy("Set the weights of {}"),
        gettext_lazy("Set weights"),
        forms.WeightsForm,
        _moving(Goal.SET_WEIGHTS),
        _request(Goal.SET_WEIGHTS),
        _present_weights,
        goal=Goal.SET_WEIGHTS,
    ),
    "cancel": Action(
        gettext_lazy("Cancel the operation of {}"),
        gettext_lazy("Cancel the operation"),
        forms.ReasonForm,
        _cancel_plan,
        _cancel,
        kind="primary danger",
    ),
    "retry": Action(gettext_lazy("Try again for {}"), gettext_lazy("Try again"), forms.ReasonForm, _retry_plan, _retry),
    **brakes.ACTIONS,
    **drilling.ACTIONS,
}
