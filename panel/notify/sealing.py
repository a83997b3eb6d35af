"""What must be used again, and so can't be kept as a hash: encrypted with a key that is derived from the panel's own.

Whoever reads the database, or a backup, without the panel's secret key reads nothing. A new secret key makes what was
sealed with the old one unreadable: the page says so, and the address is typed anew.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import digest

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class Unreadable(Exception):  # noqa: N818 - an answer, not an error
    """It was sealed with another secret key."""

    def __init__(self) -> None:
        super().__init__("The panel's secret key has changed since: enter the address anew, or remove this target.")


def seal(text: str) -> str:
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises Unreadable."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


def _box() -> Fernet:
    return Fernet(urlsafe_b64encode(digest(settings.SECRET_KEY.encode(), b"panel.notify.sealing", sha256)))
