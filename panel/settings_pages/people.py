"""People: their accounts, and their roles in one team or in every team."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from panel.accounts import members
from panel.accounts.models import Team
from panel.settings_pages.forms import AccountForm, MemberForm, RoleForm
from panel.settings_pages.permitted import permitted, require, typed, visible_team
from panel.settings_pages.sections import form_page, page
from panel.web.forms import PlainForm

MANAGE = "member.set"
ACCOUNTS = "team.manage"  # an account is the panel's, not one team's
EVERYWHERE = "-"  # stands for every team in an address; no team can be called that
methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@permitted(ACCOUNTS)
def listed(request: HttpRequest) -> HttpResponse:
    """Every account, for who looks after all of them."""
    found = members.people().prefetch_related("memberships__team").order_by("-is_active", "username")
    return page(request, "people", {"people": found, "everywhere": members.roles_in(None)})


# ---- roles ----


def _team(request: HttpRequest, slug: str) -> Team | None:
    """The team in whose people this person may change something; None is every team."""
    team = None if slug == EVERYWHERE else visible_team(request, slug)
    require(request.user, MANAGE, team)
    return team


def _page_of(team: Team | None) -> str:
    return reverse("settings:team", args=[team.slug]) if team else reverse("settings:people")


def _name(team: Team | None) -> str:
    return team.name if team else _("every team")


@methods
@permitted(MANAGE)
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """Give somebody who has an account a role."""
    team = _team(request, slug)
    form = MemberForm(typed(request))
    if request.method == "POST" and form.is_valid():
        try:
            user = members.person(form.cleaned_data["username"])
            members.set_role(user, team, form.cleaned_data["role"])
        except members.MemberError as problem:
            form.add_error("username", str(problem))
        else:
            messages.success(
                request,
                _("%(user)s is %(cleaned_data)s in %(team)s.")
                % {"user": user.get_username(), "cleaned_data": form.cleaned_data["role"], "team": _name(team)},
            )
            return redirect(_page_of(team))
    lead = [_("For somebody who can log in already. Who is in the team gets the role that you choose here.")]
    return form_page(
        request,
        form,
        needs=MANAGE,
        title=_("Add somebody to %(team)s") % {"team": _name(team)},
        button=_("Add"),
        back=_page_of(team),
        lead=lead,
    )


@methods
@permitted(MANAGE)
def set_role(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    team = _team(request, slug)
    user = get_object_or_404(members.people().filter(memberships__in=members.roles_in(team)), pk=pk)
    form = RoleForm(typed(request), initial={"role": members.role_in(user, team)})
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, f"{members.set_role(user, team, form.cleaned_data['role'])}.")
        except members.MemberError as problem:
            form.add_error("role", str(problem))
        else:
            return redirect(_page_of(team))
    return form_page(
        request,
        form,
        needs=MANAGE,
        title=_("Role of %(user)s in %(team)s") % {"user": user.get_username(), "team": _name(team)},
        button=_("Set the role"),
        back=_page_of(team),
    )


@methods
@permitted(MANAGE)
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    team = _team(request, slug)
    user = get_object_or_404(members.people().filter(memberships__in=members.roles_in(team)), pk=pk)
    if request.method == "POST":
        try:
            members.set_role(user, team, "none")
        except members.MemberError as problem:
            messages.error(request, str(problem))
        else:
            messages.success(
                request,
                _("%(user)s has no role in %(team)s any more.") % {"user": user.get_username(), "team": _name(team)},
            )
        return redirect(_page_of(team))
    lead = [
        _("The account stays, and so does what it did; with its next click it may do here what its other roles allow.")
    ]
    return form_page(
        request,
        PlainForm(),
        needs=MANAGE,
        title=_("Remove %(user)s from %(team)s") % {"user": user.get_username(), "team": _name(team)},
        button=_("Remove"),
        back=_page_of(team),
        lead=lead,
        kind="primary danger",
    )


# ---- accounts ----


@methods
@permitted(MANAGE)
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """An account with a role; the page after it has the link through which its owner sets a password."""
    team = _team(request, slug)
    form = AccountForm(typed(request))
    if request.method == "POST" and form.is_valid():
        try:
            user = members.create_account(form.cleaned_data["username"])
            members.set_role(user, team, form.cleaned_data["role"])
        except members.MemberError as problem:
            form.add_error("username", str(problem))
        else:
            return _link(request, user, _page_of(team))
    lead = [
        _("For somebody who can't log in yet. They set their password themselves, through a link that you send them.")
    ]
    return form_page(
        request,
        form,
        needs=MANAGE,
        title=_("New account in %(team)s") % {"team": _name(team)},
        button=_("Make it"),
        back=_page_of(team),
        lead=lead,
    )


def _link(request: HttpRequest, user: User, back: str) -> HttpResponse:
    context = {"person": user, "link": request.build_absolute_uri(members.password_path(user)), "back": back}
    return page(request, "password_link", context, 201)


@methods
@permitted(ACCOUNTS)
def password(request: HttpRequest, pk: int) -> HttpResponse:
    """A link for who has forgotten the password. Whoever has it takes the account over: no team's admin makes one."""
    user = get_object_or_404(members.people(), pk=pk, is_active=True)
    if request.method == "POST":
        return _link(request, user, reverse("settings:people"))
    lead = [
        _("Whoever opens the link sets a new password. Give it to nobody but its owner."),
        _("The present password works until then."),
    ]
    return form_page(
        request,
        PlainForm(),
        needs=ACCOUNTS,
        title=_("Password link for %(user)s") % {"user": user.get_username()},
        button=_("Make the link"),
        back=reverse("settings:people"),
        lead=lead,
    )


@methods
@permitted(ACCOUNTS)
def set_active(request: HttpRequest, pk: int, *, active: bool) -> HttpResponse:
    user = get_object_or_404(members.people(), pk=pk)
    name = user.get_username()
    if request.method == "POST":
        try:
            members.set_active(user, active=active)
        except members.MemberError as problem:
            messages.error(request, str(problem))
        else:
            messages.success(
                request,
                _("%(name)s can log in again.") % {"name": name}
                if active
                else _("%(name)s can't log in any more.") % {"name": name},
            )
        return redirect("settings:people")
    lead = (
        [_("It may do again what its roles allow.")]
        if active
        else [_("It is logged out with its next click. Its roles stay, for the day that it is switched on again.")]
    )
    title = _("Switch %(name)s %(active)s") % {"name": name, "active": "on" if active else "off"}
    return form_page(
        request,
        PlainForm(),
        needs=ACCOUNTS,
        title=title,
        button=_("Switch on") if active else _("Switch off"),
        lead=lead,
        back=reverse("settings:people"),
        kind="primary" if active else "primary danger",
    )
