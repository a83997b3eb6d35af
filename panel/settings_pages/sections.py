"""The navigation beside every settings page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from panel.accounts import roles
from panel.accounts.again import proved_again
from panel.words import gettext_lazy


@dataclass(frozen=True)
class Section:
    """`needs` is the line of the role table without which the section is not shown; `view` names its first page."""

    label: str
    view: str
    needs: str


SECTIONS = (
    Section(gettext_lazy("Applications"), "settings:applications", "view"),
    Section(gettext_lazy("Teams & people"), "settings:teams", "view"),
    Section(gettext_lazy("Notifications"), "notify:notifications", "notification.manage"),
    Section(gettext_lazy("API tokens"), "settings:tokens", "token.manage"),
    Section(gettext_lazy("Webhook keys"), "settings:keys", "webhook_key.manage"),
)


def entries(request: HttpRequest) -> list[dict[str, Any]]:
    """What this person may open, the section that the request is in marked."""
    return [_entry(request, each) for each in SECTIONS if roles.may_somewhere(request.user, each.needs)]


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render `settings/<template>.html` beside the navigation. What it shows may be a secret: no cache keeps it."""
    response = render(request, f"settings/{template}.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def form_page(request: HttpRequest, form: Form, **context: Any) -> HttpResponse:
    """A page with one form. `title`, `button`, `back` (an address) and `needs` (a line of the role table) are given;
    where it helps, also `lead` (sentences above the form) and `kind` (the button's classes).
    """
    wrong = request.method == "POST" and form.errors
    return page(
        request, "form", {"form": form, "proof": _proof(request, form, **context), **context}, 422 if wrong else 200
    )


def _proof(request: HttpRequest, form: Form, *, needs: str, **_others: Any) -> str:
    if request.method != "POST" and form.is_bound:
        return _("You proved who you are. What you typed is still here: confirm it.")
    return "" if proved_again(request, needs) else _("You will be asked once more for your password or another factor.")


def _entry(request: HttpRequest, section: Section) -> dict[str, Any]:
    url = reverse(section.view)
    return {"label": section.label, "url": url, "here": request.path.startswith(url)}
