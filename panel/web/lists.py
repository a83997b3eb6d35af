"""What was done, what was delivered, and what was refused: newest first, 50 a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from panel.accounts.roles import may, owned
from panel.fleet.models import Application
from panel.ingest.models import Event
from panel.operations.models import Operation, Refusal
from panel.web import badges, sentences
from panel.web.pages import live, page_of
from panel.web.standing import now


@require_safe
def operations(request: HttpRequest) -> HttpResponse:
    found = owned(Operation.objects.select_related("application", "requested_by"), request.user, "application")
    found = found.defer("document", "progress")
    page = page_of(request, found)
    rows = [(row, badges.of_status(row.status), sentences.title(row), sentences.who(row)) for row in page]
    return live(request, "operations", {"now": now().timestamp(), "page": page, "rows": rows})


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    delivered = Event.objects.defer("body").prefetch_related("applications")
    if not may(request.user, "event.unmatched"):
        delivered = delivered.filter(pk__in=owned(Event.objects.all(), request.user, "applications").values("pk"))
    page = page_of(request, delivered)
    own = set(owned(Application.objects.all(), request.user).values_list("slug", flat=True))
    rows = [(row, [each for each in row.applications.all() if each.slug in own], row.told(own)) for row in page]
    return live(request, "events", {"now": now().timestamp(), "page": page, "rows": rows})


@require_safe
def refusals(request: HttpRequest) -> HttpResponse:
    page = page_of(request, owned(Refusal.objects.select_related("application"), request.user, "application"))
    return live(request, "refusals", {"now": now().timestamp(), "page": page})
