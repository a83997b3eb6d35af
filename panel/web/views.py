"""The pages that refresh themselves: fleet, one application, one operation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from failover.model import Limits, Reading, Snapshot
from panel.accounts.roles import allowed, mine, owned
from panel.fleet import applications
from panel.fleet import history as samples
from panel.fleet.models import Application
from panel.fleet.pulse import pulse
from panel.operations.models import Hold, Operation, Refusal
from panel.probing.strip import strip
from panel.web import badges, charts, rows, runs, sentences
from panel.web.health import health
from panel.web.pages import PER_PAGE, live, page_of
from panel.web.standing import Standing, completed, now, outlines, standing_of

LAST_OPERATIONS = 8
MOST_MARKS = 12
WOULD_HAVE_SHOWN = timedelta(days=1)
BRAKES = ("hold", "kill_switch", "mode")


@require_safe
def fleet(request: HttpRequest) -> HttpResponse:
    moment = now()
    found = rows.in_order(outlines(owned(Application.objects.all(), request.user), moment))
    page = page_of(request, found)
    allowed_in = cache(allowed)
    hold = next((row.hold for row in found if row.hold and row.hold.application_id is None), None)
    context = {
        "now": moment.timestamp(),
        "health": health(pulse(), now=moment.timestamp(), hold=hold, applications=len(found)),
        "rows": [
            rows.row(standing, allowed_in(request.user, standing.application.team_id)) for standing in completed(page)
        ],
        "page": page,
        "may": allowed(request.user),
        "attention": sum(rows.attention(standing) is not rows.Attention.QUIET for standing in found),
    }
    return live(request, "fleet", context)


@require_safe
def application(request: HttpRequest, slug: str) -> HttpResponse:
    found = mine(Application.every.select_related("stored_snapshot"), request.user, slug=slug)
    if found.retired_at:
        return render(request, "web/retired.html", {"application": found})
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
        "limit": charts.limit_of(snapshot.limits.value) if snapshot else None,
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
    found = mine(Application.objects.select_related("stored_snapshot"), request.user, slug=slug)
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
    found = mine(Operation.objects.select_related(*related), request.user, "application", pk=pk)
    moment = now().timestamp()
    context = {
        "now": moment,
        "run": runs.run(found, moment),
        "journal": found.journal.all(),
        "links": runs.links(found),
        "probes": strip(found),
        "may": allowed(request.user, found.application.team_id),
        "holds": Hold.objects.filter(application=found.application, released_at=None, expires_at__gt=now()),
    }
    return live(request, "operation", context)
