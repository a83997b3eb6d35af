"""What was done, what was delivered, and what was refused: newest first, 50 a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from panel.accounts.roles import owned
from panel.fleet.models import Application
from panel.operations.models import Operation, Refusal
from panel.web import badges, sentences
from panel.web.events import visible
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
    """With `?application=SLUG` those of one application that is this person's."""
    own = dict(owned(Application.every.all(), request.user).values_list("slug", "name"))
    found, only = visible(request.user), request.GET.get("application", "")
    if only in own:
        found = found.filter(applications__slug=only)
    page = page_of(request, found.defer("body").prefetch_related("applications"))
    rows = [(row, [each for each in row.applications.all() if each.slug in own], row.told(own.keys())) for row in page]
    context = {"now": now().timestamp(), "page": page, "rows": rows, "only": own.get(only, "")}
    return live(request, "events", context)


@require_safe
def refusals(request: HttpRequest) -> HttpResponse:
    page = page_of(request, owned(Refusal.objects.select_related("application"), request.user, "application"))
    return live(request, "refusals", {"now": now().timestamp(), "page": page})
