"""One event: what was delivered, and what became of it for each application and why."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from panel import audit
from panel.accounts.roles import Person, may, owned
from panel.fleet.models import Application
from panel.ingest.models import Event
from panel.web.pages import live
from panel.web.standing import now

MOST_SHOWN = 40_000  # characters; AWS sends a few thousand


@dataclass(frozen=True)
class Outcome:
    """`said` is empty while the event still waits."""

    application: Application
    said: str


@require_safe
def event(request: HttpRequest, pk: int) -> HttpResponse:
    found = visible(request.user).filter(pk=pk).first()
    if found is None:
        if Event.objects.filter(pk=pk).exists():
            audit.deny(f"The event #{pk} is not for this person's teams.")
        raise Http404
    body = pretty(found.body)
    context = {
        "now": now().timestamp(),
        "event": found,
        "outcomes": outcomes(found, owned(found.applications.all(), request.user)),
        "body": body[:MOST_SHOWN],
        "hidden": max(0, len(body) - MOST_SHOWN),
    }
    return live(request, "event", context)


def visible(person: Person) -> QuerySet[Event]:
    """The events that this person may see: of his teams' applications, and with a role for that all others too."""
    if may(person, "event.unmatched"):
        return Event.objects.all()
    return Event.objects.filter(pk__in=owned(Event.objects.all(), person, "applications").values("pk"))


def outcomes(event: Event, applications: Iterable[Application]) -> list[Outcome]:
    """One for each of these applications: its line of the event's outcome (`panel.ingest.processing`)."""
    return [Outcome(each, event.told({each.slug}).removeprefix(f"{each.slug}: ")) for each in applications]


def pretty(body: object) -> str:
    """The body as indented JSON, with every character visible that could hide or turn round another."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return "".join(each if each == "\n" or unicodedata.category(each)[0] != "C" else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 127 else f"\\u{ord(character):04x}"
