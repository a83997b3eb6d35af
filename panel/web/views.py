"""The pages that refresh themselves: fleet, one application, one operation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from failover.model import Limits, Reading, Snapshot
from panel.accounts.roles import Grants, allowed, owned
from panel.fleet import applications
from panel.fleet import history as samples
from panel.fleet.models import Application
from panel.fleet.pulse import pulse
from panel.fleet.snapshots import concurrency_limit
from panel.operations.models import Hold, Operation, Refusal
from panel.web import badges, charts, outlines, rows, runs, sentences
from panel.web.filters import FleetFilters
from panel.web.health import health
from panel.web.pages import PER_PAGE, live, page_of
from panel.web.standing import Brakes, Standing, now, standing_of, standings

LAST_OPERATIONS = 8
MOST_MARKS = 12
WOULD_HAVE_SHOWN = timedelta(days=1)
BRAKES = ("hold", "kill_switch", "mode")


@require_safe
def fleet(request: HttpRequest) -> HttpResponse:
    moment, grants = now(), Grants.of(request.user)
    brakes = Brakes.now(moment)
    found = outlines.outlines(grants.owned(Application.objects.all()), moment, brakes)
    filters = FleetFilters(request.GET)
    page = page_of(request, filters.chosen(found))
    unread = [each.problem for each in found if each.problem]
    context = {
        "now": moment.timestamp(),
        "health": health(pulse(), now=moment.timestamp(), unread=unread, applications=len(found)),
        "alarms": outlines.count(found, "alarming"),
        "operations": outlines.count(found, "active"),
        "attention": outlines.count(found, "attention_needed"),
        "applications": len(found),
        "kill_switch": brakes.kill_switch,
        "hold": brakes.for_all,
        "rows": [
            rows.row(standing, grants.allowed(standing.application.team_id))
            for standing in standings([each.pk for each in page], moment, brakes)
        ],
        "page": page,
        "filters": filters,
        "may": grants.allowed(),
    }
    return live(request, "fleet", context)


@require_safe
def application(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(owned(Application.objects.select_related("stored_snapshot"), request.user), slug=slug)
    standing = standing_of(found, now())
    return live(request, "application", _application(standing, allowed(request.user, found.team_id)))


def _application(standing: Standing, may: frozenset[str]) -> dict[str, object]:
    history = tuple(_history(standing.application))
    shown = standing.active or standing.last
    snapshot, now = standing.snapshot, standing.now
    metrics = snapshot.metrics.value if snapshot else None
    return {
        "now": standing.now,
        "standing": standing,
        "row": rows.row(standing, may),
        "actions": rows.actions(standing, may),
        "chart": charts.chart(snapshot, history),
        "limit": concurrency_limit(snapshot.limits.value) if snapshot else None,
        "concurrency": metrics.latest("concurrency", now) if metrics else None,
        "throttles": metrics.latest("throttles", now) if metrics else None,
        "period": metrics.period if metrics else None,
        "alarms": [(alarm, badges.of_alarm(alarm)) for alarm in standing.alarms or ()],
        "run": runs.run(shown, standing.now) if shown else None,
        "journal": shown.journal.order_by("-pk")[:12] if shown else (),
        "history": [(row, badges.of_status(row.status), sentences.title(row), sentences.who(row)) for row in history],
        "why_not": sentences.why_not(standing),
        "would_have": _would_have(standing),
        "mode_change": standing.application.mode_changes.first(),
        "may": may,
        "refusals": standing.refusals,
        "position": standing.position,
        "announcement": sentences.situation(standing, figures=False),
        "policy": applications.configuration(standing.application).policy,
    }


@require_safe
def history(request: HttpRequest, slug: str) -> HttpResponse:
    """Longer ago than CloudWatch is asked for; `?span=` is one of the spans' names."""
    found = get_object_or_404(owned(Application.objects.select_related("stored_snapshot"), request.user), slug=slug)
    standing = standing_of(found, now())
    span = next((each for each in samples.SPANS if each.name == request.GET.get("span")), samples.SPANS[0])
    metrics = samples.read(found, span)
    began = found.operations.filter(created_at__gte=now() - span.back).defer("document", "progress")
    past = Snapshot(standing.now, metrics=Reading.of(metrics, standing.now), limits=_limits(standing))
    context = {
        "now": standing.now,
        "standing": standing,
        "spans": [(each, each is span) for each in samples.SPANS],
        "chart": charts.chart(past, tuple(began.select_related("requested_by")[:MOST_MARKS])),
        "span": span,
        "rows": [
            (row, badges.of_status(row.status), sentences.title(row), sentences.who(row))
            for row in began.select_related("requested_by", "application")[:PER_PAGE]
        ],
        "totals": samples.totals(metrics),
    }
    return live(request, "history", context)


def _limits(standing: Standing) -> Reading[Limits]:
    return standing.snapshot.limits if standing.snapshot else Reading()


def _would_have(standing: Standing) -> list[Refusal]:
    """What automation wanted to start lately, and was kept from by people, but for what runs already."""
    since = datetime.fromtimestamp(standing.now, UTC) - WOULD_HAVE_SHOWN
    return list(standing.application.refusals.filter(rule__in=BRAKES, last_at__gte=since))


def _history(found: Application) -> list[Operation]:
    return list(found.operations.select_related("requested_by").defer("document")[:LAST_OPERATIONS])


@require_safe
def operation(request: HttpRequest, pk: int) -> HttpResponse:
    related = ("application", "requested_by", "retry_of", "supersedes", "superseded_by", "acknowledgement")
    found = get_object_or_404(owned(Operation.objects.select_related(*related), request.user, "application"), pk=pk)
    moment = now().timestamp()
    context = {
        "now": moment,
        "run": runs.run(found, moment),
        "journal": found.journal.all(),
        "links": runs.links(found),
        "may": allowed(request.user, found.application.team_id),
        "holds": Hold.objects.filter(application=found.application, released_at=None, expires_at__gt=now()),
    }
    return live(request, "operation", context)
