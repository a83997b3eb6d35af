"""Who calls, what they may do, and how often."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.throttling import AuthRateThrottle

from panel import audit
from panel.accounts import roles
from panel.api import tokens
from panel.api.models import ApiToken
from panel.api.problems import Denied
from panel.audit.origin import address_of


class Bearer(HttpBearer):
    """The token's own account becomes the request's user, as if it had logged in."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        found = tokens.find(token, address_of(request))
        if found is None:
            audit.deny("No API token that works was sent", "the API")
        else:
            request.user = found.user
        return found


class Rate(AuthRateThrottle):
    """Per token."""

    def get_cache_key(self, request: HttpRequest) -> str:
        token = cast("Any", request).auth
        return f"api-rate-{self.scope}-{token.pk}"


def caller(request: HttpRequest) -> User:
    return cast("User", request.user)


def require(request: HttpRequest, action: str, team: int | None = None) -> None:
    """Raises Denied where the token's role does not allow `action` on what `team` owns; None is the whole panel."""
    if not roles.may(caller(request), action, team):
        raise Denied(f"This token may not {roles.actions()[action].says}.")
