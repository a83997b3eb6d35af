"""From an account to an application: what is there, what fits together, what is missing, and whether events arrive.

The only pages that ask AWS themselves; each says so, and none waits for longer than half a minute.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

import failover.model
from failover import aws, config, permissions
from failover.aws import discovery
from failover.config import REGION, ROLE, ConfigError
from failover.matching import Match, alone, matches
from failover.model import Reading
from failover.precondition_facts import Check, Result
from failover.preconditions import failed
from panel import audit
from panel.accounts import roles
from panel.accounts.models import Team
from panel.accounts.roles import mine
from panel.fleet import exporting
from panel.fleet.applications import ImportRefused, completed, configuration
from panel.fleet.models import Application
from panel.ingest.models import Event
from panel.settings_pages import eventbridge
from panel.settings_pages.keys import hook
from panel.settings_pages.permitted import permitted
from panel.settings_pages.proposals import IMPORT, OWN_CREDENTIALS, judge
from panel.settings_pages.sections import page
from panel.web.badges import Badge
from panel.web.forms import PlainForm
from panel.words import gettext_lazy

SOURCE = "the text"
BADGES = {
    Result.PASS: Badge("ok", "✓", gettext_lazy("pass")),
    Result.WARN: Badge("warn", "!", gettext_lazy("look at it")),
    Result.FAIL: Badge("alarm", "✕", gettext_lazy("fail")),
    Result.UNKNOWN: Badge("none", "?", gettext_lazy("not checked")),
}
methods = require_http_methods(["GET", "HEAD", "POST"])


class WhereForm(PlainForm):
    region = forms.RegexField(
        rf"^(?:{REGION.pattern})\Z",
        label=gettext_lazy("Region"),
        max_length=32,
        widget=forms.TextInput(attrs={"placeholder": "sa-east-1", "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Write a region, such as sa-east-1."),
            "invalid": gettext_lazy("Write a region, such as sa-east-1."),
        },
    )
    team = forms.ModelChoiceField(
        Team.objects.none(),
        label=gettext_lazy("Team"),
        empty_label=None,
        to_field_name="slug",
        help_text=gettext_lazy("The application's owner. A role is assumed with this team's external id."),
        error_messages={
            "required": gettext_lazy("Choose a team."),
            "invalid_choice": gettext_lazy("Choose one of your teams."),
        },
    )
    role_arn = forms.RegexField(
        rf"^(?:{ROLE.pattern})\Z",
        label=gettext_lazy("Role to assume"),
        required=False,
        max_length=512,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("ARN of a role in the application's account. Empty: the panel's own credentials."),
        error_messages={
            "invalid": gettext_lazy("Write a role's ARN (arn:aws:iam::123456789012:role/NAME), or nothing.")
        },
    )


@methods
@permitted(IMPORT)
def start(request: HttpRequest) -> HttpResponse:
    """Where to look; then what was found there; then, with `toml`, whether it is ready."""
    if request.method == "POST" and "toml" in request.POST:
        return _checked(request, request.POST["toml"])
    form = WhereForm(request.POST or None)
    form.fields["team"].queryset = roles.teams(request.user, IMPORT)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid() and not form.cleaned_data["role_arn"]:
        _require_own_credentials(request, form)
    if request.method != "POST" or not form.is_valid():
        return page(request, "onboarding", {"form": form}, 422 if form.errors else 200)
    return _found(request, form.cleaned_data)


def _require_own_credentials(request: HttpRequest, form: WhereForm) -> None:
    """Whoever looks through an account with the panel's credentials sees what is every team's."""
    if roles.may(request.user, OWN_CREDENTIALS, None):
        return
    audit.deny("Looking through an account with the panel's own credentials is for an administrator of the panel.")
    said = "Write a role that trusts the panel with your team's external id: only an administrator of the panel looks "
    form.add_error("role_arn", f"{said}with the panel's own credentials.")


def _found(request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
    team, role = given["team"], given["role_arn"]
    try:
        inventory = discovery.discover(given["region"], role, team.external_id if role else "")
    except ConfigError as problem:
        return page(request, "found", {**given, "problems": [str(problem)], "matches": []})
    parts: dict[str, Reading[Any]] = {
        "Caller": inventory.caller,
        _("Load balancers"): inventory.places,
        "Functions": inventory.functions,
        "Services": inventory.services,
        "Alarms": inventory.alarms,
    }
    context = {
        **given,
        "caller": inventory.caller.value,
        "problems": [f"{name}: {part.problem}" for name, part in parts.items() if part.value is None],
        "matches": [(each, exporting.text(_document(each, given))) for each in matches(inventory)],
        "alone": alone(inventory),
        "policy": _json(permissions.listing_policy()),
    }
    return page(request, "found", context)


def _document(match: Match, given: dict[str, Any]) -> dict[str, Any]:
    """A configuration to begin with; every key that it leaves out has its default."""
    slug = slugify(match.function)[:60].strip("-_").replace("_", "-") or "application"
    top = {"slug": slug, "name": match.function[: config.MOST_NAME], "region": given["region"]}
    if given["role_arn"]:
        top["role_arn"] = given["role_arn"]
    return {
        "application": {**top, "team": given["team"].slug, "alarms": list(match.alarms)},
        "lambda": {"function_name": match.function, "target_group_arn": match.lambda_group},
        "ecs": {
            "cluster": match.service.cluster,
            "service": match.service.name,
            "target_group_arn": match.ecs_group,
        },
        "routes": [
            {"rule_arn" if ":listener-rule/" in route.arn else "listener_arn": route.arn} for route in match.routes
        ],
    }


def _checked(request: HttpRequest, toml: str) -> HttpResponse:
    """The same preconditions as `check_application`, before anything is saved."""
    context: dict[str, Any] = {"toml": toml}
    try:
        document = config.read_text(toml, SOURCE)
        proposal = judge(request.user, document, SOURCE)
        wanted = config.parse(completed(document, proposal.owner), SOURCE)
        checks = aws.checked(wanted)
    except ConfigError as problem:
        return page(request, "ready", {**context, "problems": problem.problems}, 422)
    except ImportRefused as problem:
        return page(request, "ready", {**context, "problems": [str(problem)]}, 422)
    context |= {
        "seen": proposal.seen,
        "wanted": wanted,
        "checks": [(each, BADGES[each.result]) for each in checks],
        "failed": failed(checks),
        **_policies(wanted, checks),
        "commands": eventbridge.commands(wanted, **hook(request)),
    }
    return page(request, "ready", context)


def _policies(wanted: failover.model.Application, checks: tuple[Check, ...]) -> dict[str, str]:
    scalable = any(each.about == "Auto scaling" and each.says.startswith(_("Its bounds")) for each in checks)
    acts_as = next((each.says for each in checks if each.about == "Caller" and each.result is Result.PASS), "")
    found = {"policy": _json(permissions.policy_for(wanted, scalable_target=scalable)), "acts_as": acts_as}
    assumes = permissions.caller_policy(wanted)
    if assumes:
        found["assumes"] = _json(assumes)
        found["trust"] = _json(permissions.trust_policy("ARN-OF-THE-PANELS-OWN-ROLE", wanted.external_id))
    return found


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2)


# ---- whether events arrive ----


@require_safe
@permitted("view")
def first_event(request: HttpRequest, slug: str) -> HttpResponse:
    """Waits for any event of the application since the page was opened; a piece of it asks every two seconds."""
    found = mine(Application.objects.all(), request.user, slug=slug)
    since = _since(request.GET.get("since", ""))
    event = Event.objects.filter(applications=found, received_at__gte=since).order_by("pk").first()
    context = {
        "application": found,
        "event": event,
        "since": since,
        "piece": f"{reverse('settings:first_event', args=[slug])}?since={since.timestamp():.3f}",
        "command": eventbridge.test_command(configuration(found)),
    }
    return page(request, "_first_event" if request.headers.get("HX-Request") == "true" else "first_event", context)


def _since(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        return timezone.now()
