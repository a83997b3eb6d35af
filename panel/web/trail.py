"""The audit trail: a page with filters, and what they leave as CSV or JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from panel.accounts.roles import Person, Role, owned, role_of
from panel.audit import Action, Outcome
from panel.audit.models import Entry
from panel.fleet.models import Application
from panel.web.badges import Badge
from panel.web.pages import live, page_of
from panel.web.standing import now
from panel.words import gettext_lazy

COLUMNS = (
    *(
        "id",
        "at",
        "actor",
        "address",
        "action",
        "outcome",
        "application",
        "subject",
        "before",
        "after",
        "reason",
    ),
    *("request_id", "previous_hash", "hash"),
)
ALL = ("", gettext_lazy("all"))
OUTCOMES = {
    Outcome.DONE: Badge("ok", "✓", gettext_lazy("done")),
    Outcome.REFUSED: Badge("warn", "■", gettext_lazy("refused")),
    Outcome.DENIED: Badge("alarm", "✕", gettext_lazy("denied")),
}
LONGEST_SHOWN = 120


class Filters(forms.Form):
    """What to show. A field that is left empty shows everything."""

    template_name = "web/fields.html"

    application = forms.CharField(label=gettext_lazy("Application"), required=False, max_length=60)
    actor = forms.CharField(label=gettext_lazy("Actor"), required=False, max_length=150)
    action = forms.ChoiceField(
        label=gettext_lazy("Action"), required=False, choices=[ALL, *((each, each) for each in Action)]
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"), required=False, choices=[ALL, *((each, each) for each in Outcome)]
    )

    def entries(self, person: Person) -> QuerySet[Entry]:
        """The entries that fit and that `person` may see, newest first; none where a filter makes no sense."""
        if not self.is_valid():
            return Entry.objects.none()
        wanted = {name: value for name, value in self.cleaned_data.items() if value}
        return visible(person).filter(**wanted)


def visible(person: Person) -> QuerySet[Entry]:
    """Entries about applications of one's own teams; those about the panel for who has a role in every team."""
    if role_of(person, None) >= Role.VIEWER:
        return Entry.objects.all()
    slugs = owned(Application.every.all(), person).values_list("slug", flat=True)
    return Entry.objects.filter(application__in=list(slugs))


@dataclass(frozen=True)
class Row:
    entry: Entry
    badge: Badge
    changes: list[tuple[str, str, str]]
    linked: bool


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    filters = Filters(request.GET)
    page = page_of(request, filters.entries(request.user))
    known = set(
        Application.objects.filter(slug__in={entry.application for entry in page}).values_list("slug", flat=True)
    )
    rows = [Row(entry, OUTCOMES[Outcome(entry.outcome)], changes(entry), entry.application in known) for entry in page]
    filtered = any(request.GET.get(name) for name in filters.fields)
    context = {"now": now().timestamp(), "page": page, "rows": rows, "filters": filters, "filtered": filtered}
    return live(request, "audit", context)


def changes(entry: Entry) -> list[tuple[str, str, str]]:
    """What changed: a name, what it was and what it became, each short enough for a table."""
    names = dict.fromkeys([*entry.before, *entry.after])
    return [(name, _shown(entry.before.get(name)), _shown(entry.after.get(name))) for name in names]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


@require_safe
def download(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Everything that the filters leave, written while it is read: a whole year fits no memory."""
    entries = Filters(request.GET).entries(request.user).iterator(chunk_size=500)
    lines, content_type = (_csv(entries), "text/csv") if kind == "csv" else (_json(entries), "application/json")
    response = StreamingHttpResponse(lines, content_type=f"{content_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-{now():%Y-%m-%d}.{kind}"'
    response["Cache-Control"] = "no-store"
    return response


def _values(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in COLUMNS} | {"at": entry.at.isoformat()}


def _json(entries: Iterable[Entry]) -> Iterator[str]:
    yield "["
    for number, entry in enumerate(entries):
        yield f"{',' if number else ''}\n{json.dumps(_values(entry), ensure_ascii=False)}"
    yield "\n]\n"


class _Echo:
    """The file that csv wants to write to: each row comes straight back."""

    def write(self, row: str) -> str:
        return row


def _csv(entries: Iterable[Entry]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for entry in entries:
        yield writer.writerow([_cell(value) for value in _values(entry).values()])


def _cell(value: Any) -> str:
    """A spreadsheet runs a cell that begins with one of these as a formula: an apostrophe makes it text."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
