"""Teams: their names, external ids, applications and people."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from panel.accounts import members, roles, teams
from panel.fleet.models import Application
from panel.settings_pages.forms import RenameForm, TeamForm
from panel.settings_pages.permitted import permitted, typed, visible_team
from panel.settings_pages.sections import form_page, page

MANAGE = "team.manage"
methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@permitted("view")
def listed(request: HttpRequest) -> HttpResponse:
    here = Q(memberships__user__api_token=None, memberships__isnull=False)
    found = roles.teams(request.user).annotate(
        people=Count("memberships", filter=here, distinct=True), owned=Count("applications", distinct=True)
    )
    return page(request, "teams", {"teams": found, "may": roles.allowed(request.user)})


@require_safe
@permitted("view")
def one(request: HttpRequest, slug: str) -> HttpResponse:
    team = visible_team(request, slug)
    context = {
        "team": team,
        "may": roles.allowed(request.user, team),
        "people": members.roles_in(team),
        "everywhere": members.roles_in(None),
        "applications": Application.objects.filter(team=team),
    }
    return page(request, "team", context)


@methods
@permitted(MANAGE)
def new(request: HttpRequest) -> HttpResponse:
    form = TeamForm(typed(request))
    if request.method == "POST" and form.is_valid():
        try:
            team = teams.create(form.cleaned_data["slug"], form.cleaned_data["name"])
        except teams.TeamError as problem:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem))
        else:
            messages.success(
                request, _("%(name)s is made. Add people, and import its applications.") % {"name": team.name}
            )
            return redirect("settings:team", team.slug)
    lead = [_("A team owns applications: its people see them, and nobody else but who has a role in every team.")]
    return form_page(
        request,
        form,
        needs=MANAGE,
        title=_("New team"),
        button=_("Make it"),
        lead=lead,
        back=reverse("settings:teams"),
    )


@methods
@permitted(MANAGE)
def rename(request: HttpRequest, slug: str) -> HttpResponse:
    team = visible_team(request, slug)
    form = RenameForm(typed(request), initial={"name": team.name})
    if request.method == "POST" and form.is_valid():
        try:
            teams.rename(team, form.cleaned_data["name"])
        except teams.TeamError as problem:
            form.add_error("name", str(problem))
        else:
            return redirect("settings:team", team.slug)
    return form_page(
        request,
        form,
        needs=MANAGE,
        title=_("Rename %(slug)s") % {"slug": slug},
        button=_("Rename"),
        back=reverse("settings:team", args=[slug]),
    )
