"""Proving once more who one is, before what `again` marks in roles.toml.

A view that does such a thing asks first, or wears the decorator, which asks at every POST:

    if not proved_again(request, "token.manage"):
        return ask(request)

    @again("token.manage")
    def tokens(request): ...

What was typed waits meanwhile. Whoever has proved comes back to the same page, which shows it to be confirmed:

    form = TokenForm(kept(request))     # None, and so an unbound form, where nobody comes back
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from failover.config import MOST_TEXT
from panel.accounts.roles import actions

FRESH = timedelta(minutes=5)
PROOFS = {
    "password",
    "mfa",
}  # a single sign-on alone may be an old one's: it counts where allauth says `reauthenticated`
KEPT, KEPT_FOR = "typed_before_proof", timedelta(minutes=15)
MOST_KEPT = MOST_TEXT + 20_000  # characters: the longest TOML that a page takes, and what is beside it
View = Callable[..., HttpResponseBase]


def proved_recently(request: HttpRequest, now: float | None = None) -> bool:
    """Whether this session's person gave a password or another factor within five minutes; logging in counts."""
    if not request.user.is_authenticated:
        return False
    records = get_authentication_records(request, request.user)
    proofs = [each["at"] for each in records if each["method"] in PROOFS or each.get("reauthenticated")]
    return (now or time.time()) - max(proofs, default=0) < FRESH.total_seconds()


def proved_again(request: HttpRequest, action: str) -> bool:
    """Whether `action`, a line of roles.toml, asks for no proof or has a fresh one. KeyError for an unknown action."""
    return not actions()[action].again or proved_recently(request)


def ask(request: HttpRequest) -> HttpResponse:
    """Send the person to prove who they are, and back to this page. From inside a dialog the whole page goes there."""
    _keep(request)
    proof = f"{reverse('account_reauthenticate')}?{urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponse("Prove who you are first.", status=401, headers={"HX-Redirect": proof})
    return redirect(proof)


def again(action: str) -> Callable[[View], View]:
    """The view's POST needs a fresh proof where roles.toml says so for `action`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST" and not proved_again(request, action):
                return ask(request)
            return view(request, *args, **kwargs)

        return asking

    return decorate


def kept(request: HttpRequest, now: float | None = None) -> QueryDict | None:
    """What was typed into this page before the proof was asked for, once; None where nothing waits."""
    waiting = request.session.get(KEPT)
    if not waiting or waiting["path"] != request.path or request.method == "POST":
        return None
    del request.session[KEPT]
    fresh = (now or time.time()) - waiting["at"] < KEPT_FOR.total_seconds()
    return _as_sent(waiting["typed"]) if fresh else None


def _as_sent(typed: dict[str, list[str]]) -> QueryDict:
    sent = QueryDict(mutable=True)
    for name, values in typed.items():
        sent.setlist(name, values)
    return sent


def _keep(request: HttpRequest) -> None:
    typed = {name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}
    length = sum(len(text) for name, values in typed.items() for text in (name, *values))
    if request.method == "POST" and length <= MOST_KEPT:
        request.session[KEPT] = {"path": request.path, "typed": typed, "at": time.time()}
