"""From TOML, or from the form, to an application: every problem first, then the difference, then the confirmation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from failover import config
from failover.config import ConfigError
from panel.accounts import roles
from panel.accounts.again import ask, proved_again
from panel.accounts.roles import Person, mine
from panel.fleet import exporting
from panel.fleet.applications import Document, Import, ImportRefused, import_document, without_external_id
from panel.fleet.models import Application
from panel.settings_pages.configuration import ConfigurationForm
from panel.settings_pages.permitted import permitted, require, typed
from panel.settings_pages.proposals import IMPORT, Proposal, judge, told_to
from panel.settings_pages.sections import page
from panel.web.forms import PlainForm
from panel.words import gettext_lazy

MOST_BYTES = config.MOST_TEXT
PASTED = "the text"
methods = require_http_methods(["GET", "HEAD", "POST"])


class ImportForm(PlainForm):
    toml = forms.CharField(
        label=gettext_lazy("Paste it here"),
        required=False,
        max_length=MOST_BYTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14, "class": "mono", "spellcheck": "false", "autocomplete": "off"}),
        error_messages={
            "max_length": gettext_lazy("An application's TOML has a few thousand characters; this has %(show_value)d.")
        },
    )
    file = forms.FileField(
        label=gettext_lazy("or upload the file"),
        required=False,
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )

    def clean(self) -> None:
        super().clean()
        upload = self.cleaned_data.get("file")
        self.source = upload.name[:60] if upload else PASTED
        if upload is not None:
            self.cleaned_data["toml"] = self._read(upload)
        if not self.errors and not self.cleaned_data.get("toml", "").strip():
            self.add_error("toml", _("Paste an application's TOML, or choose its file."))

    def _read(self, upload: Any) -> str:
        if upload.size > MOST_BYTES:
            self.add_error(
                "file",
                _("%(name)s has more than %(MOST_BYTES)s bytes: it is no application's TOML.")
                % {"name": upload.name, "MOST_BYTES": MOST_BYTES},
            )
            return ""
        try:
            return str(upload.read().decode("utf-8"))
        except UnicodeDecodeError:
            self.add_error("file", _("%(name)s is not UTF-8 text.") % {"name": upload.name})
            return ""


@methods
@permitted(IMPORT)
def from_toml(request: HttpRequest) -> HttpResponse:
    given = typed(request)
    if given is None:
        return _paste(request, ImportForm())
    form = ImportForm(given, request.FILES)
    if not form.is_valid():
        return _paste(request, form)
    text = form.cleaned_data["toml"]
    if given.get("step") == "edit":
        return _paste(request, ImportForm(initial={"toml": text}), problems=())
    try:
        document = config.read_text(text, form.source)
        proposal = judge(request.user, document, form.source)
    except ConfigError as problem:
        return _paste(request, ImportForm(initial={"toml": text}), problem.problems)
    except ImportRefused as problem:
        return _paste(request, ImportForm(initial={"toml": text}), [str(problem)])
    seen = given.get("seen") if request.method == "POST" else None
    if seen != proposal.seen:
        return _difference(request, proposal, text, reverse("settings:import"), changed=bool(seen))
    if not proved_again(request, proposal.needs):
        return ask(request)
    try:
        result = _import(request.user, document, form.source, proposal)
    except ImportRefused as problem:
        return _paste(request, ImportForm(initial={"toml": text}), [str(problem)])
    return _taken(request, result, then="first_event" if given.get("then") == "event" else "application")


def _paste(request: HttpRequest, form: ImportForm, problems: Any = ()) -> HttpResponse:
    return page(request, "import", {"form": form, "problems": problems}, 422 if problems or form.errors else 200)


def _difference(
    request: HttpRequest, proposal: Proposal, text: str, back: str, *, changed: bool = False
) -> HttpResponse:
    return page(request, "difference", {"proposal": proposal, "toml": text, "back": back, "changed": changed})


def _import(person: Person, document: Document, source: str, proposal: Proposal) -> Import:
    """What was judged and confirmed, or nothing: somebody else may have made an application of this name since, and
    then it is theirs. Raises ImportRefused.
    """
    with transaction.atomic():
        result = told_to(person, lambda: import_document(document, source))
        if (result.created, result.differences) != (proposal.result.created, proposal.result.differences):
            raise ImportRefused(
                _("%(source)s: somebody changed %(slug)s this very moment. Look again.")
                % {"source": source, "slug": result.application.slug}
            )
    return result


def _taken(request: HttpRequest, result: Import, *, then: str) -> HttpResponse:
    if result.created:
        messages.success(request, _("%(name)s is made. It is read within seconds.") % {"name": result.application.name})
    elif result.changes:
        messages.success(
            request,
            _("%(name)s is changed. Operations under way keep what they began with.")
            % {"name": result.application.name},
        )
    else:
        messages.success(request, _("%(name)s was like that already.") % {"name": result.application.name})
    return redirect(f"settings:{then}", result.application.slug)


@methods
@permitted(IMPORT)
def from_form(request: HttpRequest, slug: str = "") -> HttpResponse:
    """A new application, or, with a slug, another configuration of one."""
    application = mine(Application.objects.select_related("team"), request.user, slug=slug) if slug else None
    if application is not None:
        require(request.user, IMPORT, application.team_id)
    known = without_external_id(application) if application else None
    teams = list(roles.teams(request.user, IMPORT).values_list("slug", flat=True))
    if request.method != "POST":
        return _form(request, ConfigurationForm(known=known, teams=teams), application)
    if request.POST.get("step") == "edit":
        return _form(request, _again(request.POST.get("toml", ""), known, teams), application)
    form = ConfigurationForm(request.POST, known=known, teams=teams)
    if form.is_valid():
        document = form.document()
        try:
            proposal = judge(request.user, document, "the form")
            return _difference(request, proposal, exporting.text(document), request.path)
        except ConfigError as problem:
            form.told(problem)
        except ImportRefused as problem:
            form.add_error(None, str(problem))
    return _form(request, form, application)


def _again(text: str, known: Document | None, teams: list[str]) -> ConfigurationForm:
    """The form as it was when the difference was shown."""
    form = ConfigurationForm(known=known, teams=teams)
    try:
        document = config.read_text(text, PASTED)
        config.parse(document, PASTED)
        shown = ConfigurationForm(known=document)
    except ConfigError:  # not what the page sent
        return form
    form.initial = shown.initial
    return form


def _form(request: HttpRequest, form: ConfigurationForm, application: Application | None) -> HttpResponse:
    back = reverse("settings:application", args=[application.slug]) if application else reverse("settings:applications")
    context = {"form": form, "application": application, "back": back}
    return page(request, "configuration", context, 422 if form.errors else 200)
