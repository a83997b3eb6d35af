"""Who is told of what, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from panel.accounts import roles
from panel.notify import sealing, targets
from panel.notify.forms import AddForm, ChangeForm, TargetForm
from panel.notify.kinds import kinds
from panel.notify.models import Delivery, Target
from panel.settings_pages.permitted import permitted, require, visible_team
from panel.web.badges import Badge
from panel.web.pages import page_of
from panel.words import gettext_lazy

EVERY_TEAM = "every-team"
BADGES = {
    Delivery.Status.WAITING: Badge("now", "◔", gettext_lazy("waiting")),
    Delivery.Status.DELIVERED: Badge("ok", "✓", gettext_lazy("delivered")),
    Delivery.Status.GAVE_UP: Badge("alarm", "✕", gettext_lazy("gave up")),
}
methods = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True)
class Owner:
    """A team, or every team, with its targets and whether their addresses can be read."""

    slug: str
    name: str
    targets: list[tuple[Target, bool]]


@require_safe
@permitted(targets.MANAGE)
def notifications(request: HttpRequest) -> HttpResponse:
    return _render(request, "notifications", {"owners": _owners(_person(request)), **_log(request)})


@require_safe
@permitted(targets.MANAGE)
def log(request: HttpRequest) -> HttpResponse:
    """The inside of the page that is read again while something waits."""
    return _render(request, "_log", _log(request))


@methods
@permitted(targets.MANAGE)
def add(request: HttpRequest, owner: str) -> HttpResponse:
    team = None if owner == EVERY_TEAM else visible_team(request, owner)
    require(request.user, targets.MANAGE, team)
    form = AddForm(request.POST or None, team=team)
    context = {
        "form": form,
        "title": _("Add a target of %(team)s") % {"team": team or _("every team")},
        "button": _("Add"),
    }
    if request.method == "POST" and form.is_valid():
        try:
            added = targets.add(team, **_given(form), by=_person(request).get_username())
        except targets.Invalid as invalid:
            _point_out(form, invalid)
        else:
            if added.secret:
                return _render(request, "secret", {"target": added.target, "secret": added.secret})
            messages.success(request, _("%(name)s is added. Send it a test.") % {"name": added.target.name})
            return redirect("notify:notifications")
    return _form(request, form, context)


@methods
@permitted(targets.MANAGE)
def change(request: HttpRequest, pk: int) -> HttpResponse:
    target = _target(request, pk)
    form = ChangeForm(request.POST or None, target=target)
    context = {"form": form, "title": _("Change %(name)s") % {"name": target.name}, "button": _("Save")}
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            targets.change(target, given["name"], given.get("address", ""), given["kinds"])
        except targets.Invalid as invalid:
            _point_out(form, invalid)
        else:
            messages.success(request, _("%(name)s is saved.") % {"name": target.name})
            return redirect("notify:notifications")
    return _form(request, form, context)


@methods
@permitted(targets.MANAGE)
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    target = _target(request, pk)
    if request.method == "POST":
        targets.remove(target)
        messages.success(request, _("%(name)s is removed, and told nothing any more.") % {"name": target.name})
        return redirect("notify:notifications")
    waiting = target.deliveries.filter(status=Delivery.Status.WAITING).count()
    return _render(request, "remove", {"target": target, "waiting": waiting})


@require_POST
@permitted(targets.MANAGE)
def test(request: HttpRequest, pk: int) -> HttpResponse:
    target = _target(request, pk)
    targets.test(target, by=_person(request).get_username())
    messages.success(
        request,
        _("A test for %(name)s is on its way. Below you see within seconds what became of it.") % {"name": target.name},
    )
    return redirect("notify:notifications")


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)


def _target(request: HttpRequest, pk: int) -> Target:
    """Raises Http404 for another team's, PermissionDenied for one that this person may see but not manage."""
    found = roles.mine(Target.objects.select_related("team"), request.user, pk=pk)
    require(request.user, targets.MANAGE, found.team)
    return found


def _owners(person: User) -> list[Owner]:
    every = [Owner(EVERY_TEAM, _("Every team"), [])] if roles.may(person, targets.MANAGE, None) else []
    owners = every + [Owner(team.slug, team.name, []) for team in roles.teams(person, targets.MANAGE)]
    by_slug = {owner.slug: owner for owner in owners}
    for target in targets.managed(person):
        by_slug[target.team.slug if target.team else EVERY_TEAM].targets.append((target, _readable(target)))
    return owners


def _readable(target: Target) -> bool:
    try:
        sealing.unseal(target.address) if target.address else None
    except sealing.Unreadable:
        return False
    return True


def _log(request: HttpRequest) -> dict[str, Any]:
    page = page_of(request, targets.told(_person(request)))
    rows = [(row, BADGES[Delivery.Status(row.status)], _severity(row)) for row in page]
    soon = any(row.status == Delivery.Status.WAITING and row.tries == 0 for row in page)
    return {"page": page, "rows": rows, "soon": soon}


def _severity(delivery: Delivery) -> str:
    kind = kinds().get(delivery.notice.kind)
    return kind.severity if kind else ""


def _given(form: TargetForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("name", "way", "address", "kinds")}


def _point_out(form: TargetForm, invalid: targets.Invalid) -> None:
    form.add_error(invalid.field if invalid.field in form.fields else None, invalid.message)


def _form(request: HttpRequest, form: TargetForm, context: dict[str, Any]) -> HttpResponse:
    return _render(request, "form", context, status=422 if form.errors else 200)


def _render(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, f"notify/{template}.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
