"""The form of an application's configuration: from a document and back to one; failover.config is what judges it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from failover import environment
from failover.config import ConfigError
from panel.settings_pages.keys_explained import GROUPS, KEYS, Group, Key
from panel.web.forms import PlainForm

LISTENER, RULE = "listener_arn", "rule_arn"
LONGEST = 20_000


class ConfigurationForm(PlainForm):
    """`known` is the document to begin with: what the form has no field for (team, external id) stays as it is there.

    Its fields take any text: what is wrong is said by `told`, in the words of failover.config.
    """

    def __init__(self, data: Any = None, *, known: dict[str, Any] | None = None, teams: Iterable[str] = ()) -> None:
        super().__init__(data, initial=_values(known or {}))
        self._known = known or {}
        for key in KEYS.values():
            self.fields[key.name] = _field(key, fixed=bool(known) and key.name == "application.slug")
        if not known:
            self.fields["application.team"] = forms.ChoiceField(
                label=_("Team"), required=False, choices=[(slug, slug) for slug in teams], help_text=_("Its owner.")
            )

    def groups(self) -> Iterator[tuple[Group, list[forms.BoundField]]]:
        for group in GROUPS:
            bound = [self[key.name] for key in group.keys]
            if group is GROUPS[0] and "application.team" in self.fields:
                bound.append(self["application.team"])
            yield group, bound

    def document(self) -> dict[str, Any]:
        """What was typed, as TOML would have it: an empty field is no key. Call it once the form is valid."""
        found = copy.deepcopy(self._known) or {}
        for name, text in self.cleaned_data.items():
            table, _, key = name.partition(".")
            value = _routes(text) if name == "routes" else _value(KEYS.get(name), text)
            if name == "routes":
                found["routes"] = value
            elif value in ("", []):
                found.get(table, {}).pop(key, None)
            else:
                found.setdefault(table, {})[key] = value
        return {**{name: {} for name in ("application", "lambda", "ecs")}, **found}

    def told(self, problem: ConfigError) -> None:
        """Put each sentence beside the field that it is about."""
        for key, sentence in problem.by_key.items():
            if key in self.fields:
                self.add_error(key, sentence)
            elif "routes" in key:
                self.add_error("routes", f"{key.strip('[]')}: {sentence}" if key[0] != "[" else sentence)
            else:
                self.add_error(None, f"{key}: {sentence}")
        if not problem.by_key:
            for each in problem.problems:
                self.add_error(None, each)


def _field(key: Key, *, fixed: bool) -> forms.Field:
    if key.choices:
        default = _("%(choices)s, unless it changes in a later release") % {"choices": key.default or key.choices[0]}
        choices = [("", _("default (%(default)s)") % {"default": default}), *((each, each) for each in key.choices)]
        return forms.ChoiceField(label=key.label, required=False, choices=choices, help_text=key.says)
    attributes: dict[str, Any] = {"autocomplete": "off", "spellcheck": "false"}
    if fixed:
        attributes["readonly"] = True
    if key.default is not None:
        attributes["placeholder"] = _("%(default)s (default)") % {"default": _text(key.default)}
    widget = forms.Textarea({**attributes, "rows": 2}) if key.lines else forms.TextInput(attributes)
    return forms.CharField(label=key.label, required=False, max_length=LONGEST, widget=widget, help_text=key.says)


def _values(document: dict[str, Any]) -> dict[str, str]:
    """What the fields show of a document."""
    shown = {"routes": "\n".join(next(iter(route.values()), "") for route in document.get("routes", ()))}
    for name, key in KEYS.items():
        table, _, inner = name.partition(".")
        values = document.get(table, {}) if inner else {}
        if inner in values:
            shown[name] = "\n".join(values[inner]) if key.lines else _text(values[inner])
    return shown


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _value(key: Key | None, text: str) -> Any:
    if key is None:
        return text
    if key.lines:
        return [line.strip() for line in text.splitlines() if line.strip()]
    return (
        environment.converted(text.strip(), key.default) if key.default is not None and text.strip() else text.strip()
    )


def _routes(text: str) -> list[dict[str, str]]:
    arns = [line.strip() for line in text.splitlines() if line.strip()]
    return [{RULE if ":listener-rule/" in arn else LISTENER: arn} for arn in arns]
