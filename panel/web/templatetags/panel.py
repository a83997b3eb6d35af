"""What templates need beyond plain values: times, the live updates' address, and the navigation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from panel.operations.models import Operation
from panel.security import live_origin
from panel.web import runs, sentences, times
from panel.web.badges import Badge
from panel.words import gettext_lazy

register = template.Library()

PLACES = (
    (gettext_lazy("Fleet"), "fleet"),
    (gettext_lazy("Operations"), "operations"),
    (gettext_lazy("Drills"), "drills"),
    (gettext_lazy("Events"), "events"),
    (gettext_lazy("Refusals"), "refusals"),
    (gettext_lazy("Audit"), "audit"),
)
BELOW = {
    "drill": "drills",
    "drill_start": "drills",
    "rehearsal_start": "drills",
    "abort": "drills",
    "operation": "operations",
    "cancel": "operations",
    "retry": "operations",
    "event": "events",
}

register.filter("sentence", sentences.sentence)
register.filter("called", sentences.title)
register.filter("duration", times.duration)
register.filter("span", times.span)
register.filter("precise", times.precise)
register.filter("moment", times.moment)
register.filter("until", times.took)
register.filter("clock", times.clock)


@register.filter
def step_state(state: str) -> str:
    """How far a step is, for who hears the page."""
    return runs.STATES[state]


@register.filter
def goal_name(goal: str) -> str:
    return sentences.NAMES[Operation.Goal(goal)]


@register.simple_tag(takes_context=True)
def ticking(context: template.Context, since: datetime | float, style: str = "fine") -> SafeString:
    """How long ago, counting on. Needs `now` (epoch seconds) in the context."""
    return times.ticking(since, context["now"], style=style)


@register.simple_tag(takes_context=True)
def badge(context: template.Context, shown: Badge) -> SafeString:
    """A state's shape and word, and since when. Needs `now` (epoch seconds) in the context where a time is known."""
    since = format_html(" {}", times.ticking(shown.since, context["now"], style="coarse")) if shown.since else ""
    return format_html(
        '<span class="badge {}"><span aria-hidden="true">{}</span> {}{}</span>',
        shown.kind, shown.shape, shown.word, since,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def running(context: template.Context, seconds: float) -> SafeString:
    """A clock that has run for so many seconds."""
    return times.ticking(context["now"] - seconds, context["now"])


@register.simple_tag(takes_context=True)
def live_url(context: template.Context, slug: str = "") -> str:
    """Where hints come from; with a slug only that application's."""
    request: HttpRequest = context["request"]
    origin = live_origin(request) if settings.PANEL_LIVE_PORT else ""
    return f"{origin}/live/" + (f"?application={slug}" if slug else "")


@register.simple_tag(takes_context=True)
def places(context: template.Context) -> list[dict[str, Any]]:
    """The navigation's entries, the one that this page belongs to marked."""
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    here = match.url_name if match and match.app_name == "web" else ""
    here = here if here in {name for _, name in PLACES} else BELOW.get(here, "fleet" if here else "")
    entries = [{"label": label, "url": reverse(f"web:{name}"), "here": name == here} for label, name in PLACES]
    settings_url = reverse("settings:home")
    inside = request is not None and request.path.startswith(settings_url)
    return [*entries, {"label": _("Settings"), "url": settings_url, "here": inside}]
