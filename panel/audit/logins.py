"""Logins, logouts, changed passwords, and logins that failed, as allauth and Django announce them."""

from __future__ import annotations

from typing import Any

import allauth.account.signals
from django.contrib.auth import signals
from django.contrib.auth.models import AbstractUser

from panel import audit
from panel.audit import denials
from panel.audit.words import Action


def connect() -> None:
    allauth.account.signals.user_logged_in.connect(_logged_in)
    allauth.account.signals.password_changed.connect(_password_changed)
    signals.user_logged_out.connect(_logged_out)
    signals.user_login_failed.connect(_login_failed)


def _logged_in(user: AbstractUser, **_: Any) -> None:
    audit.record(Action.LOGIN, actor=user.get_username())


def _password_changed(user: AbstractUser, **_: Any) -> None:
    audit.record(Action.PASSWORD_CHANGE, actor=user.get_username(), subject=user.get_username())


def _logged_out(user: AbstractUser | None, **_: Any) -> None:
    if user is not None:
        audit.record(Action.LOGOUT, actor=user.get_username())


def _login_failed(credentials: dict[str, Any], **_: Any) -> None:
    """Nobody knows who that was: the name that was tried is the subject, not the actor."""
    tried = credentials.get("username") or credentials.get("email") or ""
    denials.note(Action.LOGIN_FAILED, subject=str(tried), reason="The password is wrong, or there is no such account.")
