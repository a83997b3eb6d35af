"""The forms that act: the same URL is a page of its own or the inside of a dialog."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

import structlog
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from panel.accounts.again import ask, kept, proved_again
from panel.accounts.roles import actions, may, mine
from panel.drills.models import Drill
from panel.fleet.models import Application
from panel.operations import audited, services
from panel.operations.models import Operation
from panel.web import forms, sentences
from panel.web.action import CONFIRMED, Action, S
from panel.web.actions import ACTIONS
from panel.web.brakes import PANEL, shown_hold
from panel.web.drilling import ON_DRILL, DrillSubject
from panel.web.forms import PlainForm
from panel.web.permissions import TOLD, needed
from panel.web.standing import Brakes, now, standing_of
from panel.web.subjects import About, Panel, Subject
from panel.words import gettext_lazy

UNANSWERED = gettext_lazy(
    "The database did not answer in time. Look whether it was done after all; if it was not, try again."
)

log = structlog.get_logger(__name__)

methods = require_http_methods(["GET", "HEAD", "POST"])


@methods
def on_application(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    found = mine(Application.objects.select_related("stored_snapshot"), request.user, slug=slug)
    standing = standing_of(found, now())
    hold = shown_hold(request.POST.get("hold", ""), standing.hold, found)
    return _act(request, ACTIONS[name], Subject(standing, hold=hold, weights=_weights(request)), name)


def _weights(request: HttpRequest) -> tuple[int, int] | None:
    """The weights that were typed, so far as they make sense: the plan is shown for them."""
    form = forms.Weights(request.POST or request.GET)
    return (form.cleaned_data["weight_lambda"], form.cleaned_data["weight_ecs"]) if form.is_valid() else None


@methods
def on_operation(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    operation = mine(
        Operation.objects.select_related("application", "requested_by"), request.user, "application", pk=pk
    )
    standing = standing_of(operation.application, now())
    return _act(request, ACTIONS[name], Subject(standing, operation=operation), name)


@methods
def on_panel(request: HttpRequest, name: str) -> HttpResponse:
    brakes = Brakes.now(now(), ())
    hold = shown_hold(request.POST.get("hold", ""), brakes.for_all, None)
    return _act(request, PANEL[name], Panel(brakes.kill_switch, hold), name)


@methods
def on_drill(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    found = mine(Drill.objects.select_related("application"), request.user, "application", pk=pk)
    return _act(request, ON_DRILL[name], DrillSubject(found), name)


def _act(request: HttpRequest, action: Action[S], subject: S, name: str) -> HttpResponse:
    user = cast("User", request.user)
    needs = needed(name, subject.hold, overrides=bool(request.POST.get("override")))
    if not may(user, needs, subject.team):
        raise PermissionDenied(
            _("You may not %(says)s. Ask an administrator of the team or the panel.") % {"says": actions()[needs].says}
        )
    if request.method != "POST":
        typed = kept(request)
        form = action.form(initial=action.initial(subject)) if typed is None else action.form(typed)
        return _form(request, action, subject, form, 200, proof=_proof(request, needs, typed))
    form = action.form(request.POST)
    if not form.is_valid():
        return _form(request, action, subject, form, 422)
    if not proved_again(request, needs):
        return ask(request)
    try:
        action.run(subject, {**form.cleaned_data, **_confirmed(request)}, user)
    except services.Refused as refused:
        goal, rule = action.goal or "", refused.rule
        audited.refused(TOLD[name], subject.slug, subject.about, goal, rule=rule, reason=str(refused))
        return _form(request, action, subject, form, 409, refused)
    except services.Invalid as invalid:
        form.add_error(invalid.field if invalid.field in form.fields else None, invalid.message)
        return _form(request, action, subject, form, 422)
    except OperationalError:
        log.exception("action_not_stored", action=str(action.title))
        form.add_error(None, UNANSWERED)
        return _form(request, action, subject, form, 503)
    return _done(request, subject)


def _proof(request: HttpRequest, action: str, typed: QueryDict | None) -> str:
    """What the form says about proving who one is; nothing where nobody asks."""
    if typed is not None:
        return _("You proved who you are. What you typed is still here: confirm it.")
    return (
        "" if proved_again(request, action) else _("You will be asked once more for your password or another factor.")
    )


def _confirmed(request: HttpRequest) -> dict[str, str]:
    """What the page said would happen, beside what was typed: not fields, so that each page says it anew."""
    return {name: request.POST.get(name, "")[:255] for name in CONFIRMED}


def _form(
    request: HttpRequest,
    action: Action[S],
    subject: S,
    form: PlainForm,
    status: int,
    refused: services.Refused | None = None,
    proof: str = "",
) -> HttpResponse:
    in_dialog = request.headers.get("HX-Request") == "true"
    context: dict[str, Any] = {
        "action": action,
        "title": action.title.format(subject.name),
        "plan": action.plan(subject),
        "form": form,
        "refused": refused,
        "proof": proof,
        "key": uuid4().hex,
        "slug": subject.slug,
        "may_override": bool(action.goal) and may(request.user, "operation.override", subject.team),
        "blocked": _in_the_way(action, subject),
        "back": subject.back,
        "in_dialog": in_dialog,
    }
    response = render(request, f"web/{'_' if in_dialog else ''}action.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _in_the_way(action: Action[S], subject: S) -> tuple[Operation, str] | None:
    """The running operation that this one would replace; said before anybody types a reason."""
    active = subject.active
    return (active, sentences.title(active)) if action.goal and active else None


def _done(request: HttpRequest, subject: About) -> HttpResponse:
    if request.headers.get("HX-Request") == "true":
        return trigger_client_event(HttpResponse(status=204), "panel:done", {"value": subject.back})
    messages.success(request, _("Done. What follows from it shows here within seconds."))
    return redirect(subject.back)
