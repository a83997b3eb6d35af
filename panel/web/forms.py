"""The operator's forms. An error names what is wrong and the way out, and what was typed stays."""

from __future__ import annotations

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext as _

from failover.model import MAX_WEIGHT, Mode
from panel.words import gettext_lazy

WHY = gettext_lazy("Write a reason: whoever reads this later, perhaps you, needs it.")
HOLD_CHOICES = (
    (30, gettext_lazy("30 min")),
    (60, gettext_lazy("1 hour")),
    (240, gettext_lazy("4 hours")),
    (480, gettext_lazy("8 hours")),
    (1440, gettext_lazy("1 day")),
    (10080, gettext_lazy("7 days")),
)


class PlainForm(forms.Form):
    """A button and nothing to fill in. Invalid fields say so to screen readers by Django's own attributes."""

    template_name = "web/fields.html"
    use_required_attribute = False  # our own sentences say more than the browser's bubble


class ReasonForm(PlainForm):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "autofocus": True, "autocomplete": "off"}),
        error_messages={
            "required": WHY,
            "max_length": gettext_lazy("Keep the reason under 500 characters; it has %(show_value)d."),
        },
    )


class MovingForm(ReasonForm):
    """To move traffic. What stands in the way can be overridden, by whoever types the application's name."""

    template_name = "web/fields_moving.html"

    override = forms.BooleanField(required=False, widget=forms.CheckboxInput(attrs={"data-override": True}))
    typed = forms.CharField(
        label=gettext_lazy("The application's name"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class CommentForm(PlainForm):
    comment = forms.CharField(
        label=gettext_lazy("Comment"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "autofocus": True, "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy(
                "Write what you found and why automation may go on: the next one on call needs it."
            ),
            "max_length": gettext_lazy("Keep the comment under 500 characters; it has %(show_value)d."),
        },
    )


class ModeForm(ReasonForm):
    mode = forms.ChoiceField(
        label=gettext_lazy("What automation may do"),
        choices=(
            (Mode.AUTO, gettext_lazy("auto: it acts")),
            (Mode.OBSERVE, gettext_lazy("observe: it records what it would do")),
            (Mode.OFF, "off"),
        ),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose a mode."),
            "invalid_choice": gettext_lazy("Choose auto, observe or off."),
        },
    )
    field_order = ("mode", "reason")


def _weight(label: str, part: str, limits: str) -> forms.IntegerField:
    """`limits` is what is wrong with whatever can't be a weight, with the place of the greatest one."""
    return forms.IntegerField(
        label=label,
        min_value=0,
        max_value=MAX_WEIGHT,
        widget=forms.NumberInput(attrs={"data-weight": part, "inputmode": "numeric"}),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), format_lazy(limits, most=MAX_WEIGHT)
        ),
    )


class Weights(forms.Form):
    """Two weights that a load balancer takes."""

    weight_lambda = _weight(
        gettext_lazy("Lambda weight"),
        "lambda",
        gettext_lazy("The weight of Lambda is a whole number from 0 to {most}."),
    )
    weight_ecs = _weight(
        gettext_lazy("ECS weight"), "ecs", gettext_lazy("The weight of ECS is a whole number from 0 to {most}.")
    )

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("weight_lambda") == 0 == self.cleaned_data.get("weight_ecs"):
            self.add_error(
                "weight_lambda", _("With 0 for both, nobody would be answered: give at least one pool weight.")
            )


class WeightsForm(MovingForm, Weights):
    template_name = "web/fields_weights.html"

    field_order = ("weight_lambda", "weight_ecs", "reason", "override", "typed")

    @property
    def share(self) -> int:
        """Where the slider stands: percent on ECS."""
        try:
            to_lambda, to_ecs = (max(0, int(self[name].value())) for name in ("weight_lambda", "weight_ecs"))
            return round(100 * to_ecs / (to_lambda + to_ecs))
        except (TypeError, ValueError, ZeroDivisionError):
            return 0


class HoldForm(ReasonForm):
    minutes = forms.TypedChoiceField(
        label=gettext_lazy("For how long"),
        coerce=int,
        choices=HOLD_CHOICES,
        initial=60,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose how long: a hold always ends."),
            "invalid_choice": gettext_lazy("Choose one of the times."),
        },
    )
    field_order = ("minutes", "reason")
