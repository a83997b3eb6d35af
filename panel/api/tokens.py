"""Making, finding and ending API tokens: the secret is shown once, only its keyed hash is stored."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_network

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from panel import audit
from panel.accounts import members
from panel.accounts.models import Team
from panel.api.models import ApiToken
from panel.audit import Action

PREFIX = "fp_"  # so that a leaked one is recognised for what it is
REMEMBER_USE_EVERY = timedelta(minutes=1)
MOST_NAME = 60
MOST_DAYS = 3650


class TokenError(Exception):
    """The token can't be made like this. `field` is name, days or addresses, the message a sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def create(
    name: str, role: str, team: Team | None = None, *, days: int | None = None, addresses: Sequence[str] = ()
) -> str:
    """Make a token with a role in one team, or in every team with None, and answer with its secret.

    Raises TokenError.
    """
    _check(name, days)
    networks = [_network(each) for each in addresses]
    secret = PREFIX + secrets.token_urlsafe(32)
    ends = None if days is None else timezone.now() + timedelta(days=days)
    try:
        with transaction.atomic():
            user = User.objects.create_user(f"token:{name}")
            ApiToken.objects.create(name=name, user=user, digest=_digest(secret), addresses=networks, expires_at=ends)
            members.set_role(user, team, role)
            audit.record(Action.TOKEN_CREATE, subject=name, after={"role": role, "addresses": networks})
    except IntegrityError:
        raise TokenError("name", f"There is or was a token {name!r}: give this one another name.") from None
    return secret


def _check(name: str, days: int | None) -> None:
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise TokenError("name", f"A token's name has 1 to {MOST_NAME} printable characters.")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise TokenError("days", f"A token works for 1 to {MOST_DAYS} days, or without end.")


def revoke(name: str) -> bool:
    """Whether there was such a token that still worked."""
    with transaction.atomic():
        revoked = bool(ApiToken.objects.filter(name=name, revoked_at=None).update(revoked_at=timezone.now()))
        if revoked:
            audit.record(Action.TOKEN_REVOKE, subject=name)
    return revoked


def find(secret: str, address: str) -> ApiToken | None:
    """The token that `secret` opens from this address, or None. What it is stored by tells nothing of the secret."""
    now = timezone.now()
    alive = Q(expires_at=None) | Q(expires_at__gt=now)
    token = ApiToken.objects.filter(alive, digest=_digest(secret), revoked_at=None).select_related("user").first()
    if token is None or not token.user.is_active or not _from_allowed(token, address):
        return None
    if token.last_used_at is None or token.last_used_at < now - REMEMBER_USE_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _from_allowed(token: ApiToken, address: str) -> bool:
    if not token.addresses:
        return True
    try:
        here = ip_address(address)
    except ValueError:
        return False
    return any(here in ip_network(each) for each in token.addresses)


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as problem:
        raise TokenError("addresses", f"{text!r} is no network: {problem}.") from None


def _digest(secret: str) -> str:
    return salted_hmac("panel.api.tokens", secret, algorithm="sha256").hexdigest()
