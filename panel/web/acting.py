"""The forms that act: the same URL is a page of its own or the inside of a dialog."""

from __future__ import annotations

from typing import Any, cast

import structlog
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from panel.accounts.roles import may_operate
from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Operation
from panel.web import sentences
from panel.web.actions import ACTIONS, Action, Subject
from panel.web.forms import PlainForm
from panel.web.standing import now, standing_of

UNANSWERED = "The database did not answer in time. Look whether it was done after all; if it was not, try again."

log = structlog.get_logger(__name__)

methods = require_http_methods(["GET", "HEAD", "POST"])


@methods
def on_application(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    found = get_object_or_404(Application.objects.select_related("stored_snapshot"), slug=slug)
    standing = standing_of(found, now())
    return _act(request, ACTIONS[name], Subject(standing, hold=standing.hold))


@methods
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    operation = get_object_or_404(Operation.objects.select_related("application", "requested_by"), pk=pk)
    standing = standing_of(operation.application, now())
    return _act(request, ACTIONS["cancel"], Subject(standing, operation=operation))


def _act(request: HttpRequest, action: Action, subject: Subject) -> HttpResponse:
    user = cast("User", request.user)
    if not may_operate(user):
        raise PermissionDenied("Your account may look, but not act. Ask an administrator of the panel.")
    if request.method != "POST":
        return _form(request, action, subject, action.form(initial=action.initial(subject)), 200)
    form = action.form(request.POST)
    if not form.is_valid():
        return _form(request, action, subject, form, 422)
    try:
        action.run(subject, form.cleaned_data, user)
    except services.Refused as refused:
        return _form(request, action, subject, form, 409, refused)
    except services.Invalid as invalid:
        form.add_error(invalid.field if invalid.field in form.fields else None, invalid.message)
        return _form(request, action, subject, form, 422)
    except OperationalError:
        log.exception("action_not_stored", action=action.title)
        form.add_error(None, UNANSWERED)
        return _form(request, action, subject, form, 503)
    return _done(request, subject)


def _form(
    request: HttpRequest,
    action: Action,
    subject: Subject,
    form: PlainForm,
    status: int,
    refused: services.Refused | None = None,
) -> HttpResponse:
    in_dialog = request.headers.get("HX-Request") == "true"
    application = subject.standing.application
    context: dict[str, Any] = {
        "action": action,
        "title": action.title.format(application.name),
        "plan": action.plan(subject),
        "form": form,
        "refused": refused,
        "blocked": _in_the_way(action, subject),
        "application": application,
        "back": _back(subject),
        "in_dialog": in_dialog,
    }
    response = render(request, f"web/{'_' if in_dialog else ''}action.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _in_the_way(action: Action, subject: Subject) -> tuple[Operation, str] | None:
    """The running operation that would refuse this one; said before anybody types a reason."""
    active = subject.standing.active
    return (active, sentences.title(active)) if action.goal and active else None


def _back(subject: Subject) -> str:
    if subject.operation:
        return reverse("web:operation", args=[subject.operation.pk])
    return reverse("web:application", args=[subject.standing.application.slug])


def _done(request: HttpRequest, subject: Subject) -> HttpResponse:
    if request.headers.get("HX-Request") == "true":
        return trigger_client_event(HttpResponse(status=204), "panel:done", {"value": _back(subject)})
    messages.success(request, "Done. What follows from it shows here within seconds.")
    return redirect(_back(subject))
