"""Requests to the panel's own WSGI application, in-process.

Django's test client would leave a little behind with each of them, and look like a leak of the panel's.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.test import RequestFactory

HOST = "127.0.0.1"
_requests = RequestFactory(headers={"host": HOST})


class Browser:
    """Somebody who may be signed in."""

    def __init__(self) -> None:
        self._handler = WSGIHandler()
        self._request: HttpRequest | None = None

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> int:
        """The status of the answer."""
        if self._request is not None:
            headers["cookie"] = f"{settings.SESSION_COOKIE_NAME}={self._request.session.session_key}"
        asked = _requests.generic(method, path, body, "application/json", headers=headers)
        told = list[int]()

        def start(status: str, _headers: object, _problem: object = None, /) -> Callable[[bytes], object]:
            told.append(int(status.split(maxsplit=1)[0]))
            return lambda _body: None

        answer = self._handler(asked.environ, start)
        b"".join(answer)
        answer.close()
        return told[0]

    def sign_in(self, user: User) -> None:
        request = _requests.get("/")
        request.session = import_module(settings.SESSION_ENGINE).SessionStore()
        login(request, user, settings.AUTHENTICATION_BACKENDS[0])
        request.session.save()
        self._request = request

    def sign_out(self) -> None:
        if self._request is not None:
            logout(self._request)
        self._request = None
