"""Event patterns: which events a rule takes.

Source: EventBridge User Guide, "Creating Amazon EventBridge event patterns" and "Comparison operators for use in event
patterns". The lab knows exact values, ``prefix``, ``anything-but`` and ``exists``.
"""

import json
from collections.abc import Mapping
from typing import Any

Pattern = Mapping[str, Any]

OPERATORS = ("prefix", "anything-but", "exists")
_MISSING = object()


class PatternError(Exception):
    """The pattern cannot be used; the message is a sentence that says what is allowed."""


def read(text: str) -> Pattern:
    """A pattern out of its JSON. Raises PatternError."""
    try:
        pattern = json.loads(text)
    except ValueError as error:
        raise PatternError(f"An event pattern is JSON: {error}.") from error
    _check(pattern, "the pattern")
    return dict(pattern)


def matches(pattern: Pattern, event: Mapping[str, Any]) -> bool:
    """Every field of the pattern must match; a list is a choice of values."""
    return all(_field_matches(wanted, event.get(name, _MISSING)) for name, wanted in pattern.items())


def _check(pattern: Any, where: str) -> None:
    if not isinstance(pattern, dict) or not pattern:
        raise PatternError(f"{where} must be a JSON object with at least one field.")
    for name, wanted in pattern.items():
        if isinstance(wanted, list) and wanted:
            for each in wanted:
                _check_choice(each, name)
        elif isinstance(wanted, dict):
            _check(wanted, name)
        else:
            raise PatternError(f"{name} must be a list of values or an object, not {wanted!r}.")


def _check_choice(choice: Any, name: str) -> None:
    if isinstance(choice, dict) and (len(choice) != 1 or next(iter(choice)) not in OPERATORS):
        raise PatternError(f"{name} uses {choice!r}; the lab knows {', '.join(OPERATORS)}, one at a time.")
    if isinstance(choice, list):
        raise PatternError(f"{name} has a list within its list; values stand in one list.")


def _field_matches(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, dict) and matches(wanted, value)
    return any(_chosen(choice, value) for choice in wanted)


def _chosen(choice: Any, value: Any) -> bool:
    """Of a list in the event one entry is enough."""
    if isinstance(choice, dict) and "exists" in choice:
        return bool(choice["exists"]) == (value is not _MISSING)
    values = value if isinstance(value, list) else [] if value is _MISSING else [value]
    return any(_equals(choice, each) for each in values)


def _equals(choice: Any, value: Any) -> bool:
    if not isinstance(choice, dict):
        return type(choice) is type(value) and bool(choice == value)
    if "prefix" in choice:
        return isinstance(value, str) and value.startswith(choice["prefix"])
    excluded = choice["anything-but"]
    return not any(_equals(each, value) for each in (excluded if isinstance(excluded, list) else [excluded]))
