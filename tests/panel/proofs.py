"""A session whose person has just given a password, as a test wants it where nobody logs in through the page."""

import time

from django.contrib.auth.models import User
from django.test import Client


def prove(client: Client, user: User, *, at: float | None = None) -> None:
    """Put into the session what a login with the password leaves there."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": at or time.time()}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
