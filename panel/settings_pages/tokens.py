"""API tokens: list, make, revoke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from panel import audit
from panel.accounts import roles
from panel.accounts.models import Membership, Team
from panel.api import tokens
from panel.api.models import ApiToken
from panel.settings_pages.forms import EVERY, TokenForm
from panel.settings_pages.permitted import permitted, require, typed
from panel.settings_pages.sections import form_page, page
from panel.web.badges import Badge
from panel.web.forms import PlainForm

MANAGE = "token.manage"
methods = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True)
class Row:
    token: ApiToken
    membership: Membership | None
    badge: Badge


@require_safe
@permitted(MANAGE)
def listed(request: HttpRequest) -> HttpResponse:
    found = _visible(cast("User", request.user)).select_related("user").prefetch_related("user__memberships__team")
    rows = [Row(token, next(iter(token.user.memberships.all()), None), _state(token)) for token in found]
    return page(request, "tokens", {"rows": rows})


def _visible(person: User) -> QuerySet[ApiToken]:
    """The tokens of the teams in which this person manages them."""
    if roles.may(person, MANAGE, None):
        return ApiToken.objects.all()
    return ApiToken.objects.filter(user__memberships__team__in=roles.teams(person, MANAGE))


def _state(token: ApiToken) -> Badge:
    if token.revoked_at is not None:
        return Badge("none", "■", "revoked")
    if token.expires_at is not None and token.expires_at <= timezone.now():
        return Badge("none", "○", "ended")
    return Badge("ok", "●", "works")


@methods
@permitted(MANAGE)
def new(request: HttpRequest) -> HttpResponse:
    person = cast("User", request.user)
    form = TokenForm(typed(request), teams=roles.teams(person, MANAGE), every=roles.may(person, MANAGE, None))
    if request.method != "POST" or not form.is_valid():
        return _new(request, form)
    given = form.cleaned_data
    team = None if given["team"] == EVERY else Team.objects.get(slug=given["team"])
    require(person, MANAGE, team)
    try:
        secret = tokens.create(
            given["name"], given["role"], team, days=given["days"], addresses=given["addresses"].split()
        )
    except tokens.TokenError as problem:
        form.add_error(problem.field, str(problem))
        return _new(request, form)
    context = {"name": given["name"], "secret": secret, "url": request.build_absolute_uri("/api/v1/applications")}
    return page(request, "token_made", context, 201)


def _new(request: HttpRequest, form: TokenForm) -> HttpResponse:
    lead = [_("A program shows the token instead of a password. Its secret is shown once, on the next page.")]
    back = reverse("settings:tokens")
    return form_page(request, form, needs=MANAGE, title=_("New API token"), button=_("Make it"), back=back, lead=lead)


@methods
@permitted(MANAGE)
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    token = _visible(cast("User", request.user)).filter(Q(pk=pk)).first()
    if token is None:
        if ApiToken.objects.filter(pk=pk).exists():
            audit.deny(f"The token #{pk} is another team's.")
        raise Http404
    if request.method == "POST":
        if tokens.revoke(token.name):
            messages.success(request, _("%(name)s is revoked: from now on it opens nothing.") % {"name": token.name})
        else:
            messages.warning(request, f"{token.name} was revoked already.")
        return redirect("settings:tokens")
    lead = [_("Whatever uses it is refused with 401 from its next request on. It can't be given back: make a new one.")]
    return form_page(
        request,
        PlainForm(),
        needs=MANAGE,
        title=_("Revoke %(name)s") % {"name": token.name},
        button=_("Revoke"),
        back=reverse("settings:tokens"),
        lead=lead,
        kind="primary danger",
    )
