"""The form of a target. An error names what is wrong and the way out, and what was typed stays."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from panel.accounts.models import Team
from panel.notify import targets
from panel.notify.kinds import choosable
from panel.notify.models import Target
from panel.words import gettext_lazy

ADDRESS = gettext_lazy(
    "Enter the address: https://… for a signed webhook, an Apprise URL like slack://… for a service."
)


class TargetForm(forms.Form):
    template_name = "notify/fields.html"
    use_required_attribute = False  # our own sentences say more than the browser's bubble

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy("Who reads it, like “on-call in Slack”."),
        error_messages={
            "required": gettext_lazy("Give it a name that says who reads it, like “on-call in Slack”."),
            "max_length": gettext_lazy("Keep the name under 60 characters; it has %(show_value)d."),
        },
    )
    way = forms.ChoiceField(
        label=gettext_lazy("How"),
        choices=Target.Way.choices,
        widget=forms.RadioSelect,
        initial=Target.Way.APPRISE,
        error_messages={
            "required": gettext_lazy("Choose how it is told."),
            "invalid_choice": gettext_lazy("Choose one of the three ways."),
        },
    )
    address = forms.CharField(
        label=gettext_lazy("Address"),
        required=False,
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Of a service its Apprise URL, like slack://…, mailto://… or pagerduty://…; of a webhook https://…. "
            "It is kept encrypted and never shown in full again."
        ),
        error_messages={"max_length": gettext_lazy("Keep the address under 2000 characters; it has %(show_value)d.")},
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Told of"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": gettext_lazy("Choose at least one kind, or remove the target."),
            "invalid_choice": "%(value)s is nothing that this target can be told of.",
        },
    )

    def __init__(self, *given: Any, team: Team | None, **named: Any) -> None:
        super().__init__(*given, **named)
        offered = choosable(every_team=team is None)
        field = self.fields["kinds"]
        field.choices = [(kind.name, f"{kind.says} ({kind.severity})") for kind in offered]  # type: ignore[attr-defined]
        field.initial = [kind.name for kind in offered if kind.default]


class AddForm(TargetForm):
    def clean(self) -> None:
        super().clean()
        way, address = self.cleaned_data.get("way"), self.cleaned_data.get("address")
        if way is None or address is None or way == Target.Way.CONSOLE:
            return
        if not address:
            self.add_error("address", ADDRESS)
            return
        try:
            targets.check(way, address)
        except targets.Invalid as invalid:
            self.add_error("address", invalid.message)


class ChangeForm(TargetForm):
    """The way stays: another way is another target."""

    way = None  # type: ignore[assignment]  # Django's way to leave a field out

    def __init__(self, *given: Any, target: Target, **named: Any) -> None:
        initial = {"name": target.name, "kinds": target.kinds}
        super().__init__(*given, team=target.team, initial=initial, **named)
        if target.way == Target.Way.CONSOLE:
            del self.fields["address"]
        else:
            self.fields["address"].help_text = _("Leave it empty to keep %(shown)s; it is never shown in full.") % {
                "shown": target.shown
            }
