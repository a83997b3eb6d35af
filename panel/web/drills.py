"""Drills: what came of them, measured against the target, which is next, and one of them with its two operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from failover.model.drills import Drills
from panel.accounts.roles import allowed, mine, owned
from panel.drills.models import Drill, Kind, Schedule
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.operations.models import Operation
from panel.web import badges, drill_charts, runs
from panel.web.badges import Badge
from panel.web.pages import live, page_of
from panel.web.rows import Link
from panel.web.standing import now
from panel.words import gettext_lazy

STATES = {
    Drill.State.ASKED: ("now", "◔", gettext_lazy("about to start")),
    Drill.State.FORWARD: ("now", "◐", gettext_lazy("going to ECS")),
    Drill.State.STAYING: ("now", "◐", gettext_lazy("on ECS")),
    Drill.State.BACK: ("now", "◐", gettext_lazy("coming back")),
    Drill.State.NOT_STARTED: ("none", "○", gettext_lazy("not started")),
}
REHEARSING = {Drill.State.FORWARD: gettext_lazy("starting tasks"), Drill.State.BACK: gettext_lazy("stopping tasks")}
OUTCOMES = {
    Drill.Outcome.SUCCEEDED: ("ok", "✓", gettext_lazy("succeeded")),
    Drill.Outcome.FAILED: ("alarm", "✕", gettext_lazy("failed")),
    Drill.Outcome.INTERRUPTED: ("warn", "■", gettext_lazy("interrupted")),
    Drill.Outcome.NOT_ENOUGH_CAPACITY: ("alarm", "▲", gettext_lazy("not enough capacity")),
}
PARTS = {
    "decision_to_healthy": gettext_lazy("Decision to healthy targets"),
    "healthy_to_weights": gettext_lazy("Healthy to weights"),
    "weights_to_verified": gettext_lazy("Weights to verified"),
    "recovery": gettext_lazy("Recovery, in all"),
    "failback": gettext_lazy("Back on Lambda"),
    "stopped": gettext_lazy("Back, and tasks stopped"),
}
MOST_BARS = 30
RELATED = ("application", "requested_by", "forward", "back")


@dataclass(frozen=True)
class Shown:
    """A drill as a list has it."""

    drill: Drill
    title: str
    badge: Badge
    who: str


@dataclass(frozen=True)
class Subject:
    """An application that can be drilled: what its TOML says, when the next ones are, and what may be started."""

    application: Application
    drills: Drills
    next: tuple[Schedule, ...]
    last: Shown | None
    links: tuple[Link, ...]
    chart: drill_charts.Bars | None


def badge_of(drill: Drill) -> Badge:
    if drill.outcome and not drill.active:
        return Badge(*OUTCOMES[Drill.Outcome(drill.outcome)])
    kind, shape, word = STATES[Drill.State(drill.state)]
    return Badge(kind, shape, REHEARSING.get(Drill.State(drill.state), word) if drill.rehearses else word)


def title(drill: Drill) -> str:
    """`Drill #3`"""
    return f"{drill.get_kind_display()} #{drill.pk}"


def shown(drill: Drill) -> Shown:
    who = drill.requested_by.get_username() if drill.requested_by else _("its schedule")
    return Shown(drill, title(drill), badge_of(drill), who)


@require_safe
def drills(request: HttpRequest) -> HttpResponse:
    """`?application=` shows one application's alone."""
    slug = request.GET.get("application", "")
    own = owned(Application.objects.order_by("slug"), request.user)
    found = owned(Drill.objects.select_related(*RELATED), request.user, "application")
    if slug:
        own, found = own.filter(slug=slug), found.filter(application__slug=slug)
    page, subjects = page_of(request, found), page_of(request, own)
    context = {
        "now": now().timestamp(),
        "page": page,
        "rows": [shown(drill) for drill in page],
        "subjects": _subjects(request, list(subjects.object_list)),
        "more": subjects.paginator.count - len(subjects.object_list),
        "slug": slug,
    }
    return live(request, "drills", context)


def _subjects(request: HttpRequest, applications: Sequence[Application]) -> list[Subject]:
    allowed_in = cache(allowed)
    past = Drill.objects.filter(application__in=list(applications)).select_related("application", "requested_by")
    schedules = list(Schedule.objects.filter(application__in=list(applications)))
    by_application: dict[int, list[Drill]] = {}
    for drill in past[: MOST_BARS * max(1, len(applications))]:
        by_application.setdefault(drill.application_id, []).append(drill)
    return [
        Subject(
            application=each,
            drills=configuration(each).drills,
            next=tuple(schedule for schedule in schedules if schedule.application_id == each.pk),
            last=shown(by_application[each.pk][0]) if each.pk in by_application else None,
            links=_links(each, by_application.get(each.pk, []), allowed_in(request.user, each.team_id)),
            chart=drill_charts.bars(by_application.get(each.pk, [])[:MOST_BARS]),
        )
        for each in applications
    ]


def _links(application: Application, past: list[Drill], may: frozenset[str]) -> tuple[Link, ...]:
    if "drill.start" not in may:
        return ()
    running = next((drill for drill in past if drill.active), None)
    if running:
        return (_abort(running),) if not running.abort_requested else ()
    labels = {Kind.REHEARSAL: "Rehearse…", Kind.DRILL: _("Start a drill…")}
    return tuple(
        Link(label, reverse(f"web:{kind}_start", args=[application.slug]), needs="drill.start")
        for kind, label in labels.items()
    )


def _abort(drill: Drill) -> Link:
    return Link("Abort…", reverse("web:abort", args=[drill.pk]), "danger", needs="drill.start")


@require_safe
def drill(request: HttpRequest, pk: int) -> HttpResponse:
    found = mine(Drill.objects.select_related(*RELATED), request.user, "application", pk=pk)
    moment = now()
    may = allowed(request.user, found.application.team_id)
    legs = [_leg(name, each, moment) for name, each in (("There", found.forward), ("Back", found.back)) if each]
    context = {
        "now": moment.timestamp(),
        "standing": {"application": found.application},
        "shown": shown(found),
        "drill": found,
        "legs": legs,
        "parts": [(label, found.measured[name]) for name, label in PARTS.items() if name in found.measured],
        "abort": _abort(found) if found.active and not found.abort_requested and "drill.start" in may else None,
        "stays": _stays(found, moment),
    }
    return live(request, "drill", context)


def _leg(name: str, operation: Operation, moment: datetime) -> tuple[str, runs.Run, Badge]:
    operation.application = Application.objects.get(pk=operation.application_id)
    return name, runs.run(operation, moment.timestamp()), badges.of_status(operation.status)


def _stays(found: Drill, moment: datetime) -> float | None:
    if found.state != Drill.State.STAYING or found.stay_until is None:
        return None
    return max(0.0, (found.stay_until.astimezone(UTC) - moment).total_seconds())
