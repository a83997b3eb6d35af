"""Webhook keys: the secret is shown once, only its keyed hash is stored."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from panel import audit
from panel.audit import Action
from panel.ingest.models import WebhookKey

REMEMBER_USE_EVERY = timedelta(minutes=1)
MOST_NAME = 60


class KeyNameError(Exception):
    """There can be no key of this name. The message is a sentence."""


def create(name: str) -> str:
    """Make a key and answer with its secret, which can't be read again. Raises KeyNameError."""
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise KeyNameError(f"A webhook key's name has 1 to {MOST_NAME} printable characters.")
    secret = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            WebhookKey.objects.create(name=name, digest=_digest(secret))
            audit.record(Action.WEBHOOK_KEY_CREATE, subject=name)
    except IntegrityError:
        raise KeyNameError(f"There is a webhook key {name!r} already; choose another name.") from None
    return secret


@transaction.atomic
def revoke(name: str) -> bool:
    """Whether there was such a key that still worked."""
    revoked = bool(WebhookKey.objects.filter(name=name, revoked_at=None).update(revoked_at=timezone.now()))
    if revoked:
        audit.record(Action.WEBHOOK_KEY_REVOKE, subject=name)
    return revoked


def why_not(secret: str) -> str:
    """Why `secret` opens nothing, for the audit trail: who sent it is not told."""
    if not secret:
        return "No webhook key was sent."
    revoked = WebhookKey.objects.filter(digest=_digest(secret)).first()
    return f"The webhook key {revoked} is revoked." if revoked else "The webhook key is unknown."


class Opened:
    """The keys that work now, read once for deliveries that came together, and which of them were used."""

    def __init__(self) -> None:
        self._keys = list(WebhookKey.objects.filter(revoked_at=None))
        self._used: dict[int, WebhookKey] = {}

    def by(self, secret: str) -> bool:
        """Whether `secret` opens the webhook. Every key is compared, each in constant time."""
        digest = _digest(secret)
        found = [key for key in self._keys if hmac.compare_digest(key.digest, digest)]
        self._used.update((key.pk, key) for key in found)
        return bool(found)

    def remember_use(self) -> None:
        """Note when each key was last used, at most once a minute: a flood of events is no flood of updates."""
        now = timezone.now()
        old_or_never = Q(last_used_at=None) | Q(last_used_at__lt=now - REMEMBER_USE_EVERY)
        for key in self._used.values():
            if key.last_used_at is None or key.last_used_at < now - REMEMBER_USE_EVERY:
                WebhookKey.objects.filter(old_or_never, pk=key.pk).update(last_used_at=now)


def _digest(secret: str) -> str:
    return salted_hmac("panel.ingest.keys", secret, algorithm="sha256").hexdigest()
