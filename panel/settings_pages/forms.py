"""The forms of teams, people, tokens and keys. An error names what is wrong and the way out; what was typed stays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from panel.accounts.models import Membership, Team
from panel.web.forms import PlainForm, ReasonForm
from panel.words import gettext_lazy

ROLES = (
    (Membership.Role.VIEWER, gettext_lazy("viewer: sees everything of the team's")),
    (Membership.Role.OPERATOR, gettext_lazy("operator: moves traffic, too")),
    (Membership.Role.ADMIN, gettext_lazy("admin: sets up applications, people and tokens, too")),
)
EVERY = "*"  # the choice that stands for every team; no team is called that


def _text(label: str, missing: str, most: int, **more: Any) -> forms.CharField:
    more.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off"}))
    too_long = _("Keep it under %(most)s characters; it has %%(show_value)d.") % {"most": most}
    return forms.CharField(
        label=label, max_length=most, error_messages={"required": missing, "max_length": too_long}, **more
    )


def _role() -> forms.ChoiceField:
    said = _("Choose viewer, operator or admin.")
    return forms.ChoiceField(
        label=_("Role"),
        choices=ROLES,
        widget=forms.RadioSelect,
        error_messages={"required": said, "invalid_choice": said},
    )


class TeamForm(PlainForm):
    slug = _text(
        gettext_lazy("Short name"),
        gettext_lazy("Give it a short name, such as payments."),
        60,
        help_text=gettext_lazy("As in an application's TOML: letters, digits, - and _. It stays for good."),
    )
    name = _text(
        "Name",
        gettext_lazy("Write a name."),
        120,
        required=False,
        help_text=gettext_lazy("As people call it. Empty: the short name."),
    )


class RenameForm(PlainForm):
    name = _text("Name", gettext_lazy("Write a name."), 120)


class MemberForm(PlainForm):
    """Somebody who has an account already."""

    username = _text(gettext_lazy("User name"), gettext_lazy("Write the name that they log in with."), 150)
    role = _role()


class RoleForm(PlainForm):
    role = _role()


class AccountForm(PlainForm):
    """Somebody new."""

    username = _text(
        gettext_lazy("User name"),
        gettext_lazy("Write the name that they will log in with."),
        150,
        help_text=gettext_lazy("Letters, digits and @ . + - _"),
    )
    role = _role()


class TokenForm(PlainForm):
    """`teams` are those that whoever makes the token may choose from."""

    name = _text("Name", gettext_lazy("Name the token after what will use it, such as deploy-checkout."), 60)
    team = forms.ChoiceField(
        label=gettext_lazy("Team"), error_messages={"invalid_choice": gettext_lazy("Choose one of your teams.")}
    )
    role = _role()
    days = forms.IntegerField(
        label=gettext_lazy("Works for so many days"),
        required=False,
        initial=90,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=gettext_lazy("Empty: without end."),
        error_messages={"invalid": gettext_lazy("Write a whole number of days, or nothing for a token without end.")},
    )
    addresses = forms.CharField(
        label=gettext_lazy("From these networks only"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("One a line, such as 10.0.0.0/8. Empty: from anywhere."),
    )

    def __init__(self, *given: Any, teams: Iterable[Team], every: bool, **named: Any) -> None:
        super().__init__(*given, **named)
        choices = [(team.slug, team.name) for team in teams]
        self.fields["team"].choices = [*choices, (EVERY, _("Every team"))] if every else choices  # type: ignore[attr-defined]


class KeyForm(PlainForm):
    name = _text("Name", gettext_lazy("Name the key after the connection that will send it, such as eventbridge."), 60)


class RetireForm(ReasonForm):
    """Why, for whoever wonders later."""


class MoveForm(PlainForm):
    team = forms.ModelChoiceField(
        Team.objects.all(),
        label=gettext_lazy("New owner"),
        empty_label=None,
        to_field_name="slug",
        error_messages={
            "required": gettext_lazy("Choose a team."),
            "invalid_choice": gettext_lazy("There is no such team: choose one of these."),
        },
    )
