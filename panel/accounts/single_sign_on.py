"""Signing in through the OpenID Connect provider: who gets in, as whom, and with which roles.

An account belongs to the provider's identifier of a person (issuer and `sub`), never to an address or a name: those can
be given to somebody else. The groups are read anew at each sign-in and at each proof.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import structlog
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from requests import RequestException

from panel import audit
from panel.accounts import members
from panel.accounts.again import FRESH
from panel.accounts.models import Team
from panel.accounts.roles import Role
from panel.audit import Action
from panel.sign_on import EVERY_TEAM, SignOn

ACTOR = "single sign-on"  # no account can be called so: a username has no blank
USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,149}")
CLOCKS_DIFFER = 60.0  # seconds, at most, between the provider's clock and ours
log = structlog.get_logger(__name__)


def configured() -> SignOn:
    """Raises Http404 where this panel has no single sign-on."""
    single: SignOn | None = settings.PANEL_SIGN_ON
    if single is None:
        raise Http404
    return single


# ---- what the provider says ----


def claim(sociallogin: Any, name: str) -> Any:
    """A claim about the person; what userinfo says goes before the ID token, which some providers keep short."""
    data = sociallogin.account.extra_data
    return next((part[name] for part in (data.get("userinfo"), data.get("id_token")) if part and name in part), None)


def groups_of(sociallogin: Any, name: str) -> frozenset[str]:
    """The person's groups; a provider may send one as a text. Anything else is no group."""
    value = claim(sociallogin, name)
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return frozenset(each for each in found if isinstance(each, str))


def username_of(sociallogin: Any) -> str:
    """The name of a new account: the first of the provider's that fits one."""
    given = (claim(sociallogin, name) for name in ("preferred_username", "email", "sub"))
    return next((name for name in given if isinstance(name, str) and USERNAME.fullmatch(name)), "")


def roles_of(groups: frozenset[str], single: SignOn) -> dict[Team | None, str]:
    """The highest role in each team, None being every team, that these groups give."""
    granted: dict[Team | None, str] = {}
    teams = {team.slug: team for team in Team.objects.filter(slug__in={each.team for each in single.grants})}
    for grant in (each for each in single.grants if each.group in groups):
        if grant.team != EVERY_TEAM and grant.team not in teams:
            log.warning("group_of_unknown_team", group=grant.group, team=grant.team)
            continue
        team = teams.get(grant.team)
        granted[team] = max(granted.get(team, grant.role), grant.role, key=Role.named)
    return granted


# ---- what follows from it ----


class SingleSignOn(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """The provider vouches for this person. Raises ImmediateHttpResponse where that opens nothing here."""
        single = configured()
        sociallogin.email_addresses = []  # an address opens no account and blocks none
        process = sociallogin.state.get("process")
        if process == AuthProcess.REDIRECT:
            _is_the_same(request, sociallogin, single)
        elif process != AuthProcess.LOGIN:
            refuse(request, "Accounts are joined by an administrator of the panel: manage.py link_account.", "Joining")
        elif not sociallogin.is_existing:
            _may_be_new(request, username_of(sociallogin), single)
        sociallogin.roles = _roles(request, sociallogin, single)
        if process == AuthProcess.REDIRECT:
            record_authentication(
                request, sociallogin.user, "socialaccount", provider=single.provider_id, reauthenticated=True
            )

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002 - allauth's signature
        """Whoever is in none of the groups was refused before this is asked."""
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: Mapping[str, Any]) -> User:
        names = {**data, "email": "", "username": username_of(sociallogin)}
        user: User = super().populate_user(request, sociallogin, names)
        return user

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        with transaction.atomic():
            user: User = super().save_user(request, sociallogin, form)
            account = {"issuer": configured().issuer, "sub": sociallogin.account.uid}
            audit.record(Action.ACCOUNT_CREATE, subject=user.get_username(), after=account, actor=ACTOR)
            members.follow_groups(user, sociallogin.roles, ACTOR)
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,  # noqa: ARG002 - the signature is allauth's
    ) -> NoReturn:
        if error == AuthError.CANCELLED:
            refuse(request, f"{provider.name} says that access was denied, or you turned back there.", "Signing in")
        if exception is not None:
            fail(request, provider.name, exception)
        sentence = (
            f"This answer of {provider.name} belongs to no sign-in that this browser began in the last ten minutes."
        )
        refuse(request, f"{sentence} Begin anew.", "Signing in", status=400)


def _may_be_new(request: HttpRequest, name: str, single: SignOn) -> None:
    if not name:
        refuse(request, f"{single.name} sends no name that an account can have.", "Signing in")
    if name.lower() in members.RESERVED or User.objects.filter(username__iexact=name).exists():
        refuse(
            request,
            f"There is an account {name} already, and a name alone does not make it yours. An administrator of the "
            f"panel can join it with your sign-in: manage.py link_account.",
            f"Signing in as {name}",
        )


def _roles(request: HttpRequest, sociallogin: Any, single: SignOn) -> dict[Team | None, str]:
    """Also takes away, from somebody who has an account, what the groups give no longer."""
    groups = groups_of(sociallogin, single.groups_claim)
    roles = roles_of(groups, single)
    if sociallogin.is_existing:
        members.follow_groups(sociallogin.user, roles, ACTOR)
    if not roles:
        wanted = ", ".join(sorted({each.group for each in single.grants}))
        refuse(
            request,
            f"{single.name} knows you, but you are in none of the groups that may use this panel: {wanted}. "
            f"Ask whoever looks after the groups at {single.name} to add you to one, then sign in again.",
            f"Signing in as {username_of(sociallogin) or sociallogin.account.uid}",
        )
    return roles


def _is_the_same(request: HttpRequest, sociallogin: Any, single: SignOn) -> None:
    """A proof is by the same person, who signed in at the provider just now: `auth_time` is what the provider owes us
    because we sent `max_age` (OpenID Connect Core 1.0, 2).
    """
    if not sociallogin.is_existing or sociallogin.user.pk != request.user.pk:
        refuse(request, f"At {single.name} you signed in as somebody else. Sign in there as yourself.", "Proving")
    signed_in_at = (sociallogin.account.extra_data.get("id_token") or {}).get("auth_time")
    if not isinstance(signed_in_at, int | float):
        refuse(
            request,
            f"{single.name} does not say when you signed in there (auth_time), so that it proves nothing now. Prove it "
            f"with an authenticator app, or ask whoever looks after {single.name} to send that.",
            "Proving",
        )
    if time.time() - signed_in_at > FRESH.total_seconds() + CLOCKS_DIFFER:
        refuse(
            request, f"{single.name} did not ask you to sign in again. Sign out there, then try once more.", "Proving"
        )


# ---- pages ----


def refuse(request: HttpRequest, sentence: str, tried: str, status: int = 403) -> NoReturn:
    """Answer with a page that says why and what to do; it is in the audit trail with the same words."""
    audit.deny(sentence, tried)
    raise ImmediateHttpResponse(_page(request, sentence, status))


def fail(request: HttpRequest, name: str, problem: Exception) -> NoReturn:
    log.warning("single_sign_on_failed", problem=type(problem).__name__)
    if isinstance(problem, RequestException):
        refuse(
            request, f"{name} can't be reached, or did not answer in time. Try again in a minute.", "Signing in", 502
        )
    refuse(request, f"{name} answered with something that can't be trusted, or not at all.", "Signing in", 502)


def _page(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    return render(request, "socialaccount/refused.html", {"sentence": sentence}, status=status)


def _told(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """allauth asks the provider for its addresses where it does not expect that to fail."""

    @login_not_required
    def telling(request: HttpRequest, provider_id: str) -> HttpResponseBase:
        try:
            return view(request, provider_id)
        except (RequestException, OAuth2Error, KeyError) as problem:
            try:
                fail(request, configured().name, problem)
            except ImmediateHttpResponse as answer:
                page: HttpResponse = answer.response
                return page

    return telling


login, callback = _told(views.login), _told(views.callback)


def prove_page(request: HttpRequest) -> HttpResponse:
    """Leads to the provider. A link and not a form: the policy lets no form of ours end elsewhere."""
    single = configured()
    asked: dict[str, str] = {
        "process": AuthProcess.REDIRECT,
        REDIRECT_FIELD_NAME: get_next_redirect_url(request) or "/",
        "auth_params": urlencode({"prompt": "login", "max_age": "0"}),
    }
    leads_to = f"{reverse('openid_connect_login', args=[single.provider_id])}?{urlencode(asked)}"
    return render(request, "socialaccount/prove.html", {"name": single.name, "leads_to": leads_to})


def has_account(user: User) -> bool:
    """Whether the configured provider knows this person."""
    from allauth.socialaccount.models import SocialAccount  # noqa: PLC0415 - adapters are imported before the models

    single = settings.PANEL_SIGN_ON
    return single is not None and SocialAccount.objects.filter(user=user, provider=single.provider_id).exists()
