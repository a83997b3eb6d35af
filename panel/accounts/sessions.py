"""Sessions in the database, as Django's, that end PANEL_SESSION_HOURS after the login, whatever is done in them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends import db
from django.http import HttpRequest

BEGAN = "logged_in_at"  # epoch seconds


class SessionStore(db.SessionStore):
    def get_expiry_age(self, **_given: Any) -> int:
        """Seconds that are left."""
        now = time.time()
        return max(0, round(float(self.get(BEGAN, now)) + settings.SESSION_COOKIE_AGE - now))

    def get_expiry_date(self, **_given: Any) -> datetime:
        return datetime.fromtimestamp(time.time() + self.get_expiry_age(), UTC)

    @classmethod
    def get_model_class(cls) -> Any:
        return db.SessionStore.get_model_class()


def begin(request: HttpRequest, **_: AbstractBaseUser | Any) -> None:
    request.session[BEGAN] = time.time()


def connect() -> None:
    user_logged_in.connect(begin)
