"""What an operator can do to an application or an operation: its words, its form, and the service that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from failover import codec
from failover.model import Goal, Memory
from panel.audit import Action as Told
from panel.fleet import applications
from panel.operations import services
from panel.operations.models import Hold, Operation
from panel.web import forms, plans
from panel.web.standing import Standing


@dataclass(frozen=True)
class Subject:
    """What an action is about. `operation` is the one to cancel, `hold` the one to release."""

    standing: Standing
    operation: Operation | None = None
    hold: Hold | None = None


@dataclass(frozen=True)
class Plan:
    """`steps` is what will happen, in order; `warnings` is what to know before."""

    steps: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Action:
    """`title` takes the application's name. `run` may raise services.Refused or services.Invalid.

    `told` is what the audit trail calls it.
    """

    title: str
    button: str
    form: type[forms.PlainForm]
    plan: Callable[[Subject], Plan]
    run: Callable[[Subject, dict[str, Any], User], object]
    initial: Callable[[Subject], dict[str, Any]] = lambda subject: {}  # noqa: ARG005 - most forms start empty
    kind: str = "primary"
    goal: Goal | None = None
    told: Told = Told.OPERATION_START


def _moving(goal: Goal) -> Callable[[Subject], Plan]:
    def plan(subject: Subject) -> Plan:
        standing = subject.standing
        application = applications.configuration(standing.application)
        memory = codec.decode(Memory, standing.application.memory)
        return Plan(
            plans.steps(goal, application, standing.snapshot),
            plans.warnings(goal, application, standing, memory),
        )

    return plan


def _request(goal: Goal) -> Callable[[Subject, dict[str, Any], User], object]:
    def run(subject: Subject, given: dict[str, Any], user: User) -> Operation:
        weights = (given["weight_lambda"], given["weight_ecs"]) if goal is Goal.SET_WEIGHTS else None
        return services.request_operation(
            subject.standing.application,
            goal,
            trigger=Operation.Trigger.MANUAL,
            reason=given["reason"],
            user=user,
            weights=weights,
        )

    return run


def _present_weights(subject: Subject) -> dict[str, Any]:
    split = subject.standing.snapshot.split if subject.standing.snapshot else None
    return {"weight_lambda": split.lambda_, "weight_ecs": split.ecs} if split else {}


def _hold(subject: Subject, given: dict[str, Any], user: User) -> object:
    application = subject.standing.application
    name = user.get_username()
    return services.place_hold(application, owner=name, reason=given["reason"], minutes=given["minutes"])


def _release(subject: Subject, given: dict[str, Any], user: User) -> None:  # noqa: ARG001 - every action takes its form
    if subject.hold is None:
        raise services.Refused(
            "hold", "There is no hold any more.", "It was released or has ended: nothing is left to do."
        )
    services.release_hold(subject.hold, by=user.get_username())


def _cancel(subject: Subject, given: dict[str, Any], user: User) -> None:
    if subject.operation is None:
        raise services.Refused("ended", "There is no operation to cancel.", "Nothing is left to do.")
    services.cancel_operation(subject.operation, reason=given["reason"], user=user)


def _hold_plan(subject: Subject) -> Plan:  # noqa: ARG001 - every plan takes its subject
    return Plan(
        (
            "Automation starts nothing here until the hold ends; what it would have done is still recorded.",
            "An operation that runs already goes on. You and others can still act by hand.",
        ),
    )


def _release_plan(subject: Subject) -> Plan:
    hold = subject.hold
    if hold is None:
        return Plan((), ("There is no hold any more: it was released or has ended.",))
    whom = "this application" if hold.application_id else "every application"
    return Plan(
        (
            f"Automation may start failovers and failbacks for {whom} again, within seconds if there is reason to.",
            f"The hold is by {hold.owner}: “{hold.reason}”",
        ),
    )


def _cancel_plan(subject: Subject) -> Plan:  # noqa: ARG001 - every plan takes its subject
    return Plan(
        (
            "It stops before its next change and ends with traffic on a pool that is known to be healthy.",
            "Tasks that were started stay up. Afterwards you decide what comes next.",
        ),
    )


ACTIONS = {
    "failover": Action(
        "Fail over {} to ECS",
        "Fail over",
        forms.ReasonForm,
        _moving(Goal.FAILOVER),
        _request(Goal.FAILOVER),
        goal=Goal.FAILOVER,
    ),
    "failback": Action(
        "Fail back {} to Lambda",
        "Fail back",
        forms.ReasonForm,
        _moving(Goal.FAILBACK),
        _request(Goal.FAILBACK),
        goal=Goal.FAILBACK,
    ),
    "set_weights": Action(
        "Set the weights of {}",
        "Set weights",
        forms.WeightsForm,
        _moving(Goal.SET_WEIGHTS),
        _request(Goal.SET_WEIGHTS),
        _present_weights,
        goal=Goal.SET_WEIGHTS,
    ),
    "hold": Action("Hold {}", "Hold", forms.HoldForm, _hold_plan, _hold, told=Told.HOLD_PLACE),
    "release": Action("Release {}", "Release", forms.PlainForm, _release_plan, _release, told=Told.HOLD_RELEASE),
    "cancel": Action(
        "Cancel the operation of {}",
        "Cancel the operation",
        forms.ReasonForm,
        _cancel_plan,
        _cancel,
        kind="primary danger",
        told=Told.OPERATION_CANCEL,
    ),
}
