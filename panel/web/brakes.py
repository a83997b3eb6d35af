"""The actions that keep automation back or let it go on: holds, modes, acknowledgements, the kill switch."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Hold
from panel.web import forms, sentences
from panel.web.action import Action, Plan
from panel.web.subjects import About, Panel, Subject
from panel.words import gettext_lazy

NUMBER = re.compile(r"[0-9]{1,18}")
SAME_CLICK = timedelta(seconds=10)


def _hold(subject: About, given: dict[str, Any], user: User) -> object:
    """A hold; a second click is not another one."""
    application = subject.standing.application if isinstance(subject, Subject) else None
    asked = {"owner": user.get_username(), "reason": given["reason"]}
    just_now = {"released_at": None, "created_at__gte": timezone.now() - SAME_CLICK}
    if Hold.objects.filter(application=application, **asked, **just_now).exists():
        return None
    return services.place_hold(application, minutes=given["minutes"], **asked)


def shown_hold(named: str, present: Hold | None, application: Application | None) -> Hold | None:
    """The hold that a page named, where it still binds; without a name the present one."""
    if not named:
        return present
    binding = Hold.objects.filter(released_at=None, expires_at__gt=timezone.now())
    own = binding.filter(Q(application=application) | Q(application=None))
    return own.filter(pk=named).first() if NUMBER.fullmatch(named) else None


def _release(subject: About, given: dict[str, Any], user: User) -> None:  # noqa: ARG001 - every action takes its form
    if subject.hold is None:
        raise services.Refused(
            "hold",
            _("That hold is not there any more: it was released, or has ended."),
            _("Nothing is left to do about it. If another hold is shown now, decide about that one."),
        )
    services.release_hold(subject.hold, by=user.get_username())


def _hold_plan(subject: About) -> Plan:
    where = "here" if isinstance(subject, Subject) else _("for any application")
    return Plan(
        (
            _("Automation starts nothing %(where)s until the hold ends; what it would have done is still recorded.")
            % {"where": where},
            _("An operation that runs already goes on. You and others can still act by hand."),
        ),
        (_already(subject.hold),) if subject.hold else (),
    )


def _already(hold: Hold) -> str:
    return _("%(owner)s holds it already: “%(reason)s” Both holds bind until both have ended.") % {
        "owner": hold.owner,
        "reason": hold.reason,
    }


def _release_plan(subject: About) -> Plan:
    hold = subject.hold
    if hold is None:
        return Plan((), (_("There is no hold any more: it was released or has ended."),))
    whom = _("this application") if hold.application_id else _("every application")
    return Plan(
        (
            _("Automation may start failovers and failbacks for %(whom)s again, within seconds if there is reason to.")
            % {"whom": whom},
            _("The hold is by %(owner)s: “%(reason)s”") % {"owner": hold.owner, "reason": hold.reason},
        ),
        about=(("hold", hold.pk),),
    )


def _mode(subject: Subject, given: dict[str, Any], user: User) -> None:
    services.set_mode(subject.standing.application, given["mode"], by=user.get_username(), reason=given["reason"])


def _mode_plan(subject: Subject) -> Plan:
    return Plan(
        (
            _("The mode is %(mode)s now. What is not started by itself is still recorded.")
            % {"mode": subject.standing.application.mode},
            _("An operation that runs already goes on. People can act in every mode."),
        )
    )


def _present_mode(subject: Subject) -> dict[str, Any]:
    return {"mode": subject.standing.application.mode}


def _acknowledge(subject: Subject, given: dict[str, Any], user: User) -> object:
    failed = subject.standing.unacknowledged
    if given["failure"] and (failed is None or str(failed.pk) != given["failure"]):
        raise services.Refused(
            "acknowledged",
            _("The failure that you were shown is not the one that waits for a person's look any more."),
            _("Look at %(failed)s, which failed since.") % {"failed": sentences.title(failed)}
            if failed
            else _("Nothing is left to do."),
        )
    return services.acknowledge(subject.standing.application, by=user.get_username(), comment=given["comment"])


def _acknowledge_plan(subject: Subject) -> Plan:
    failed = subject.standing.unacknowledged
    if failed is None:
        return Plan((), (_("Nothing that failed waits for a person's look."),))
    return Plan(
        (
            _("%(failed)s failed: %(error)s")
            % {"failed": sentences.title(failed), "error": sentences.sentence(failed.error)},
            _(
                "Automation need not wait any longer before it tries again, "
                "and the next one on call reads your comment."
            ),
        ),
        about=(("failure", failed.pk),),
    )


def _kill_switch(*, on: bool) -> Callable[[Panel, dict[str, Any], User], object]:
    def run(_: Panel, given: dict[str, Any], user: User) -> object:
        return services.set_kill_switch(on=on, by=user.get_username(), reason=given["reason"])

    return run


def _stop_plan(subject: Panel) -> Plan:
    steps = (
        _("Nothing starts by itself any more, whatever the alarms say. What would have started is recorded."),
        _("Operations that run by themselves stop before their next write; weights and tasks stay as they are then."),
        _("People can still act."),
    )
    return Plan(steps, () if subject.kill_switch is None else (_turned_on(subject),))


def _go_plan(subject: Panel) -> Plan:
    steps = (_("Automation may start failovers and failbacks again, within seconds if there is reason to."),)
    if subject.kill_switch is None:
        return Plan(steps, (_("It is off already."),))
    return Plan((*steps, _turned_on(subject)))


def _turned_on(subject: Panel) -> str:
    switch = subject.kill_switch
    return _("It was turned on by %(by)s: “%(reason)s”") % {"by": switch.by, "reason": switch.reason} if switch else ""


ACTIONS: dict[str, Action[Subject]] = {
    "hold": Action(gettext_lazy("Hold {}"), gettext_lazy("Hold"), forms.HoldForm, _hold_plan, _hold),
    "release": Action(gettext_lazy("Release {}"), gettext_lazy("Release"), forms.PlainForm, _release_plan, _release),
    "mode": Action(
        gettext_lazy("Set the mode of {}"),
        gettext_lazy("Set the mode"),
        forms.ModeForm,
        _mode_plan,
        _mode,
        _present_mode,
    ),
    "acknowledge": Action(
        gettext_lazy("Acknowledge the failure of {}"),
        gettext_lazy("Acknowledge"),
        forms.CommentForm,
        _acknowledge_plan,
        _acknowledge,
    ),
}
PANEL: dict[str, Action[Panel]] = {
    "hold_all": Action(gettext_lazy("Hold {}"), gettext_lazy("Hold all"), forms.HoldForm, _hold_plan, _hold),
    "release_all": Action(
        gettext_lazy("Release {}"), gettext_lazy("Release all"), forms.PlainForm, _release_plan, _release
    ),
    "on": Action(
        gettext_lazy("Turn the kill switch on for {}"),
        gettext_lazy("Stop all automation"),
        forms.ReasonForm,
        _stop_plan,
        _kill_switch(on=True),
        kind="primary danger",
    ),
    "off": Action(
        gettext_lazy("Turn the kill switch off for {}"),
        gettext_lazy("Let automation go on"),
        forms.ReasonForm,
        _go_plan,
        _kill_switch(on=False),
    ),
}
