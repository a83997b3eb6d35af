"""Which applications the fleet shows and in which order; kept in the address, so that it can be sent to somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django import forms

from panel.web.outlines import Outline, in_order

SHOWN: dict[str, tuple[str, Callable[[Outline], bool]]] = {
    "": ("all applications", lambda _: True),
    "attention": ("needing attention", lambda each: each.attention_needed),
    "alarm": ("in alarm", lambda each: each.alarming),
    "moving": ("with a running operation", lambda each: each.active),
    "away": ("not all on Lambda", lambda each: each.away),
    "held": ("held", lambda each: each.held),
    "manual": ("with automation not on auto", lambda each: each.mode != "auto"),
}
SORTS = (("", "attention first"), ("name", "name"), ("load", "closest to Lambda's limit"))


class FleetFilters(forms.Form):
    """A field that makes no sense counts as empty: a list that an old address leads to is better than none."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "data-search": True}),
    )
    show = forms.ChoiceField(required=False, choices=[(key, label) for key, (label, _) in SHOWN.items()])
    sort = forms.ChoiceField(required=False, choices=SORTS)

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
