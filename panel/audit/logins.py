"""Logins, proofs, logouts, changed passwords and factors, and what failed, as allauth and Django announce them."""

from __future__ import annotations

from typing import Any

import allauth.account.signals
import allauth.mfa.signals
from django.contrib.auth import signals
from django.contrib.auth.models import AbstractUser
from django.db.models.signals import post_delete, post_save

from panel import audit
from panel.audit import denials
from panel.audit.words import Action


def connect() -> None:
    allauth.account.signals.user_logged_in.connect(_logged_in)
    allauth.account.signals.password_changed.connect(_password_changed)
    allauth.account.signals.authentication_step_completed.connect(_proved)
    post_save.connect(_factor_saved, sender="mfa.Authenticator")
    post_delete.connect(_factor_removed, sender="mfa.Authenticator")
    allauth.mfa.signals.authentication_failed.connect(_factor_failed)
    signals.user_logged_out.connect(_logged_out)
    signals.user_login_failed.connect(_login_failed)


def _logged_in(user: AbstractUser, **_: Any) -> None:
    audit.record(Action.LOGIN, actor=user.get_username())


def _proved(user: AbstractUser, method: str, *, reauthenticated: bool = False, **_: Any) -> None:
    if reauthenticated:
        audit.record(Action.LOGIN_PROOF, actor=user.get_username(), subject=method)


def _factor_saved(instance: Any, *, created: bool, **_: Any) -> None:
    """allauth's own signal comes after the commit: what can't be recorded would have happened all the same."""
    if created:
        audit.record(Action.MFA_ADD, subject=instance.user.get_username(), after={"factor": instance.type})


def _factor_removed(instance: Any, **_: Any) -> None:
    audit.record(Action.MFA_REMOVE, subject=instance.user.get_username(), before={"factor": instance.type})


def _factor_failed(user: AbstractUser, authenticator: Any, **_: Any) -> None:
    denials.note(Action.LOGIN_FAILED, subject=user.get_username(), reason=f"The {authenticator.type} code is wrong.")


def _password_changed(user: AbstractUser, **_: Any) -> None:
    audit.record(Action.PASSWORD_CHANGE, actor=user.get_username(), subject=user.get_username())


def _logged_out(user: AbstractUser | None, **_: Any) -> None:
    if user is not None:
        audit.record(Action.LOGOUT, actor=user.get_username())


def _login_failed(credentials: dict[str, Any], **_: Any) -> None:
    """Nobody knows who that was: the name that was tried is the subject, not the actor."""
    tried = credentials.get("username") or credentials.get("email") or ""
    denials.note(Action.LOGIN_FAILED, subject=str(tried), reason="The password is wrong, or there is no such account.")
