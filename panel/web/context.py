"""What every page may show."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from panel.operations import services


def brakes(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001 - the signature is Django's
    """`kill_switch`, read when a template first asks for it; false while it is off. And PANEL_PASSWORD_LOGIN."""
    return {"kill_switch": SimpleLazyObject(services.kill_switch), "password_login": settings.PANEL_PASSWORD_LOGIN}
