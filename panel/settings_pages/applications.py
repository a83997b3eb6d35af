"""Applications as they are configured: list, TOML, another owner, retired and back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from panel.accounts.roles import allowed, may_somewhere, mine, owned
from panel.fleet import applications, exporting, retiring
from panel.fleet.models import Application
from panel.settings_pages.forms import MoveForm, RetireForm
from panel.settings_pages.permitted import permitted, require, typed
from panel.settings_pages.sections import form_page, page
from panel.web.forms import PlainForm

IMPORT, MOVE = "application.import", "team.manage"
methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@permitted("view")
def listed(request: HttpRequest) -> HttpResponse:
    found = owned(Application.every.select_related("team"), request.user)
    context = {
        "applications": found.filter(retired_at=None),
        "retired": found.exclude(retired_at=None),
        "may_import": may_somewhere(request.user, IMPORT),
    }
    return page(request, "applications", context)


@require_safe
@permitted("view")
def one(request: HttpRequest, slug: str) -> HttpResponse:
    found = _found(request, slug)
    may = allowed(request.user, found.team_id)
    return page(request, "application", {"application": found, "toml": exporting.exported(found), "may": may})


def _found(request: HttpRequest, slug: str) -> Application:
    return mine(Application.every.select_related("team"), request.user, slug=slug)


@require_safe
@permitted("view")
def download(request: HttpRequest, slug: str) -> HttpResponse:
    response = HttpResponse(exporting.exported(_found(request, slug)), content_type="application/toml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}.toml"'
    response["Cache-Control"] = "no-store"
    return response


@methods
@permitted(MOVE)
def move(request: HttpRequest, slug: str) -> HttpResponse:
    found = _found(request, slug)
    form = MoveForm(typed(request), initial={"team": found.team.slug})
    if request.method == "POST" and form.is_valid():
        try:
            applications.move(found, form.cleaned_data["team"], f"move of {slug}")
        except applications.ImportRefused as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(
                request,
                _("%(name)s belongs to %(team)s.") % {"name": found.name, "team": form.cleaned_data["team"].name},
            )
            return redirect("settings:application", slug)
    lead = [_("Its people, and nobody else's, see and move it from then on; its history goes with it.")]
    if found.document["application"].get("role_arn"):
        lead.append(_("Its role must demand the new team's external id first, or AWS refuses the panel."))
    return form_page(
        request,
        form,
        needs=MOVE,
        title=_("Move %(name)s to another team") % {"name": found.name},
        button=_("Move it"),
        lead=lead,
        back=reverse("settings:application", args=[slug]),
    )


@methods
@permitted(IMPORT)
def retire(request: HttpRequest, slug: str) -> HttpResponse:
    found = _found(request, slug)
    require(request.user, IMPORT, found.team_id)
    form = RetireForm(typed(request))
    if request.method == "POST" and form.is_valid():
        try:
            retiring.retire(found, form.cleaned_data["reason"])
        except retiring.NotNow as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _("%(name)s is retired. Nothing in AWS was touched.") % {"name": found.name})
            return redirect("settings:application", slug)
    lead = [
        _("It is not looked at any more, not in the fleet, and nothing starts for it."),
        _("Nothing in AWS is touched: traffic and tasks stay as they are."),
        _("Its operations and audit entries stay, and it can be brought back."),
    ]
    return form_page(
        request,
        form,
        needs=IMPORT,
        title=_("Retire %(name)s") % {"name": found.name},
        button=_("Retire"),
        lead=lead,
        kind="primary danger",
        back=reverse("settings:application", args=[slug]),
    )


@methods
@permitted(IMPORT)
def restore(request: HttpRequest, slug: str) -> HttpResponse:
    found = _found(request, slug)
    require(request.user, IMPORT, found.team_id)
    form = PlainForm(typed(request))
    if request.method == "POST" and form.is_valid():
        try:
            retiring.restore(found)
        except applications.ImportRefused as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _("%(name)s is back. It is read within seconds.") % {"name": found.name})
            return redirect("settings:application", slug)
    lead = [_("It is looked at again, and its mode holds again: in auto, automation acts on its alarms.")]
    return form_page(
        request,
        form,
        needs=IMPORT,
        title=_("Bring back %(name)s") % {"name": found.name},
        button=_("Bring it back"),
        lead=lead,
        back=reverse("settings:application", args=[slug]),
    )
