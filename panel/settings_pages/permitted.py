"""Who may open a settings page, and who proves once more who they are: asked here for all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from panel import audit
from panel.accounts import roles
from panel.accounts.again import again, kept
from panel.accounts.models import Team
from panel.accounts.roles import Person

View = Callable[..., HttpResponseBase]


def permitted(action: str) -> Callable[[View], View]:
    """For views of people who may do `action` in some team; in which is for the view to `require`.

    Whoever may not is refused before anybody is asked for a password.
    """

    def decorate(view: View) -> View:
        proven = again(action)(view)

        @wraps(view)
        def checked(request: HttpRequest, *given: Any, **named: Any) -> HttpResponseBase:
            if not roles.may_somewhere(request.user, action):
                raise PermissionDenied(_refusal(action))
            return proven(request, *given, **named)

        return checked

    return decorate


def typed(request: HttpRequest) -> QueryDict | None:
    """What was typed into this page's form: now, or before its writer was asked for a proof. None: nothing yet."""
    return request.POST if request.method == "POST" else kept(request)


def require(person: Person, action: str, team: Team | int | None) -> None:
    """Raises PermissionDenied where this person may not do `action` to what `team` owns; None is every team."""
    if not roles.may(person, action, team):
        raise PermissionDenied(_refusal(action))


def visible_team(request: HttpRequest, slug: str) -> Team:
    """Raises Http404 for a team that this person is not in, as if it were not there."""
    found = roles.teams(request.user).filter(slug=slug).first()
    if found is not None:
        return found
    if Team.objects.filter(slug=slug).exists():
        audit.deny(f"Who asks is not in the team {slug}.")
    raise Http404


def _refusal(action: str) -> str:
    return _("You may not %(says)s. Ask an administrator of the team or the panel.") % {
        "says": roles.actions()[action].says
    }
