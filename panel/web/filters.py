"""Which applications the fleet shows and in which order; kept in the address, so that it can be sent to somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django import forms

from panel.web.outlines import Outline, in_order
from panel.words import gettext_lazy

SHOWN: dict[str, tuple[str, Callable[[Outline], bool]]] = {
    "": (gettext_lazy("all applications"), lambda _: True),
    "attention": (gettext_lazy("needing attention"), lambda each: each.attention_needed),
    "alarm": (gettext_lazy("in alarm"), lambda each: each.alarming),
    "moving": (gettext_lazy("with a running operation"), lambda each: each.active),
    "away": (gettext_lazy("not all on Lambda"), lambda each: each.away),
    "held": (gettext_lazy("held"), lambda each: each.held),
    "manual": (gettext_lazy("with automation not on auto"), lambda each: each.mode != "auto"),
}
SORTS = (
    ("", gettext_lazy("attention first")),
    ("name", gettext_lazy("name")),
    ("load", gettext_lazy("closest to Lambda's limit")),
)


class FleetFilters(forms.Form):
    """A field that makes no sense counts as empty: a list that an old address leads to is better than none."""

    q = forms.CharField(
        label=gettext_lazy("Search"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "data-search": True}),
    )
    show = forms.ChoiceField(
        label=gettext_lazy("Show"), required=False, choices=[(key, label) for key, (label, _fits) in SHOWN.items()]
    )
    sort = forms.ChoiceField(label=gettext_lazy("Sort"), required=False, choices=SORTS)

    def chosen(self, found: Iterable[Outline]) -> list[Outline]:
        """Those that fit, in the order that was asked for."""
        self.is_valid()
        given = self.cleaned_data
        wanted, (_, fits) = given.get("q", "").casefold(), SHOWN[given.get("show", "")]
        those = (each for each in found if fits(each) and (wanted in each.name.casefold() or wanted in each.slug))
        return in_order(those, given.get("sort") or "attention")

    @property
    def narrows(self) -> bool:
        """Whether it hides anything."""
        return any(self.cleaned_data.get(name) for name in ("q", "show"))
