"""Sessions that have ended: Django and allauth leave their rows where they are."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction

KEPT = timedelta(days=1)  # after its end: a clock that jumps ahead for a while signs nobody out


def forget_sessions(now: datetime) -> None:
    """Delete the sessions that ended a day ago or longer, and of allauth's list those that have no session any more."""
    with transaction.atomic():
        Session.objects.filter(expire_date__lt=now - KEPT).delete()
        listed = UserSession.objects.filter(last_seen_at__lt=now - KEPT)
        listed.exclude(session_key__in=Session.objects.values("session_key")).delete()
