"""Who may do what."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


def may_operate(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether `user` may start, stop and hold: for now everybody with an active account."""
    return user.is_authenticated and user.is_active
