"""The pages that refresh themselves: fleet, one application, one operation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from failover.model import Alarm, Limits, Metrics, Reading, Series, Snapshot
from panel.accounts.roles import Grants, allowed, mine
from panel.fleet import applications
from panel.fleet import history as samples
from panel.fleet.models import Application
from panel.fleet.pulse import pulse
from panel.fleet.snapshots import concurrency_limit
from panel.ingest.models import Event
from panel.operations.export import exported
from panel.operations.models import Hold, Operation, Refusal
from panel.probing.strip import strip
from panel.web import badges, charts, outlines, outlook, policies, rows, runs, sentences
from panel.web.events import outcomes
from panel.web.filters import FleetFilters
from panel.web.health import health
from panel.web.pages import PER_PAGE, live, page_of
from panel.web.standing import Brakes, Standing, now, standing_of, standings

LAST_OPERATIONS = 8
LAST_EVENTS = 5
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
    found = mine(Application.every.select_related("stored_snapshot"), request.user, slug=slug)
    if found.retired_at:
        return render(request, "web/retired.html", {"application": found})
    standing = standing_of(found, now())
    span = samples.span_named(request.GET.get("span", ""))
    return live(request, "application", _application(standing, allowed(request.user, found.team_id), span))


def _application(standing: Standing, may: frozenset[str], span: samples.Span | None) -> dict[str, object]:
    history = tuple(_history(standing.application))
    shown = standing.active or standing.last
    snapshot, now = standing.snapshot, standing.now
    metrics = snapshot.metrics.value if snapshot else None
    return {
        "now": standing.now,
        "standing": standing,
        "row": rows.row(standing, may),
        "actions": rows.actions(standing, may),
        "chart": _chart(standing, span),
        "spans": [(each, each is span) for each in samples.SPANS[:4]],
        "span": span,
        "limit": concurrency_limit(snapshot.limits.value) if snapshot else None,
        "concurrency": metrics.latest("concurrency", now) if metrics else None,
        "throttles": metrics.latest("throttles", now) if metrics else None,
        "period": metrics.period if metrics else None,
        "alarms": [(alarm, badges.of_alarm(alarm)) for alarm in standing.alarms or ()],
        "run": runs.run(shown, standing.now) if shown else None,
        "journal": shown.journal.order_by("-pk")[:12] if shown else (),
        "history": [(row, badges.of_status(row.status), sentences.title(row), sentences.who(row)) for row in history],
        "events": _events(standing.application),
        "why_not": sentences.why_not(standing),
        "brings_home": sentences.brings_home(standing),
        "intent": outlook.intent(standing),
        "conditions": outlook.conditions(standing),
        "explained": policies.explained(applications.configuration(standing.application).policy),
        "would_have": _would_have(standing),
        "mode_change": standing.application.mode_changes.first(),
        "may": may,
        "refusals": standing.refusals,
        "position": standing.position,
        "announcement": sentences.situation(standing, figures=False),
        "policy": applications.configuration(standing.application).policy,
    }


def _chart(standing: Standing, span: samples.Span | None) -> charts.Chart | None:
    """What CloudWatch shows now or, of a span, what was kept; operations are marks on the same axis."""
    kept = samples.read(standing.application, span or samples.SPANS[0])
    if span is None:
        shown = standing.snapshot.metrics.value if standing.snapshot else None
        seen = {name: (*kept.points(name), *_present(standing, name)) for name in samples.SEEN}
        metrics = Metrics(shown.period, {**seen, **_renamed(shown)}) if shown else None
        since = None
    else:
        metrics, since = kept, standing.now - span.back.total_seconds()
    past = Snapshot(standing.now, limits=_limits(standing), alarms=_alarms(standing))
    past = replace(past, metrics=Reading.of(metrics, standing.now)) if metrics else past
    begun = standing.application.operations.filter(
        created_at__gte=datetime.fromtimestamp(standing.now, UTC) - (span or samples.SPANS[0]).back
    )
    marked = begun.select_related("requested_by").defer("document", "progress")[:MOST_MARKS]
    return charts.chart(past, tuple(marked), since=since)


def _present(standing: Standing, name: str) -> Series:
    """What is so now, which the minute's sample may not say yet."""
    snapshot = standing.snapshot
    if snapshot is None:
        return ()
    service, targets = snapshot.service.value, snapshot.targets.value
    known = {"desired": service.desired if service else None, "healthy": targets.ecs_healthy if targets else None}
    value = known.get(name)
    return () if value is None else ((snapshot.at, float(value)),)


def _renamed(metrics: Metrics) -> dict[str, Series]:
    """Series by the names that samples have."""
    return {**metrics.series, "lambda_seconds": metrics.points("duration_p95")}


@require_safe
def history(request: HttpRequest, slug: str) -> HttpResponse:
    """Longer ago than CloudWatch is asked for; `?span=` is one of the spans' names."""
    found = mine(Application.objects.select_related("stored_snapshot"), request.user, slug=slug)
    standing = standing_of(found, now())
    span = samples.span_named(request.GET.get("span", "")) or samples.SPANS[2]
    metrics = samples.read(found, span)
    began = found.operations.filter(created_at__gte=now() - span.back).defer("document", "progress")
    past = Snapshot(standing.now, metrics=Reading.of(metrics, standing.now), limits=_limits(standing))
    context = {
        "now": standing.now,
        "standing": standing,
        "spans": [(each, each is span) for each in samples.SPANS],
        "chart": charts.chart(
            past,
            tuple(began.select_related("requested_by")[:MOST_MARKS]),
            since=standing.now - span.back.total_seconds(),
        ),
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


def _alarms(standing: Standing) -> Reading[tuple[Alarm, ...]]:
    return standing.snapshot.alarms if standing.snapshot else Reading()


def _would_have(standing: Standing) -> list[Refusal]:
    """What automation wanted to start lately, and was kept from by people, but for what runs already."""
    since = datetime.fromtimestamp(standing.now, UTC) - WOULD_HAVE_SHOWN
    return list(standing.application.refusals.filter(rule__in=BRAKES, last_at__gte=since))


def _history(found: Application) -> list[Operation]:
    return list(found.operations.select_related("requested_by").defer("document")[:LAST_OPERATIONS])


def _events(found: Application) -> list[tuple[Event, str]]:
    """The last ones, each with what became of it for this application."""
    last = found.events.defer("body").prefetch_related("applications")[:LAST_EVENTS]
    return [(each, outcomes(each, [found])[0].said) for each in last]


@require_safe
def operation(request: HttpRequest, pk: int) -> HttpResponse:
    related = ("application", "requested_by", "retry_of", "supersedes", "superseded_by", "acknowledgement")
    found = mine(Operation.objects.select_related(*related), request.user, "application", pk=pk)
    if request.GET.get("format") == "json":
        answer = JsonResponse(exported(found), json_dumps_params={"indent": 2})
        answer["Cache-Control"] = "no-store"
        return answer
    moment = now().timestamp()
    context = {
        "now": moment,
        "run": runs.run(found, moment),
        "report": runs.report(found),
        "address": request.build_absolute_uri(request.path),
        "journal": found.journal.all(),
        "links": runs.links(found),
        "probes": strip(found),
        "may": allowed(request.user, found.application.team_id),
        "holds": Hold.objects.filter(application=found.application, released_at=None, expires_at__gt=now()),
    }
    return live(request, "operation", context)
