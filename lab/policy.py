"""IAM's decision about one action on one resource, from the statements of an identity-based policy.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators".
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["allowed", "denied", "not allowed"]
Context = Mapping[str, str]

EFFECTS = ("Allow", "Deny")
FOR_ALL = "ForAllValues:StringEquals"
OPERATORS = ("StringEquals", "ArnEquals", FOR_ALL)
KEYS = (
    "ecs:cluster",
    "sts:ExternalId",
    "dynamodb:LeadingKeys",
    "application-autoscaling:service-namespace",
    "application-autoscaling:scalable-dimension",
)


@dataclass(frozen=True)
class Statement:
    """One statement; ``conditions`` is operator, then key, then the values of which one must fit."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    effect: str = "Allow"
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def problems(self) -> list[str]:
        wrong = (
            [f"effect: {self.effect!r} is not allowed; allowed are Allow, Deny"] if self.effect not in EFFECTS else []
        )
        wrong += [f"actions: {each!r} is not like ecs:UpdateService" for each in self.actions if not _is_action(each)]
        for operator, tests in self.conditions.items():
            if operator not in OPERATORS:
                wrong.append(f"conditions: {operator!r} is not allowed; allowed are {', '.join(OPERATORS)}")
            wrong += [
                f"conditions: {key!r} is not allowed; allowed are {', '.join(KEYS)}" for key in tests if key not in KEYS
            ]
        return wrong

    def applies(self, action: str, resource: str, context: Context) -> bool:
        return (
            any(matches(pattern.lower(), action.lower()) for pattern in self.actions)
            and any(matches(pattern, resource) for pattern in self.resources)
            and self._conditions_hold(context)
        )

    def _conditions_hold(self, context: Context) -> bool:
        """All conditions must hold; a key that the request does not have fits no value."""
        return all(
            key in context and any(_fits(operator, value, context[key]) for value in values)
            for operator, tests in self.conditions.items()
            for key, values in tests.items()
        )


ADMINISTRATOR = (Statement(("*",), ("*",)),)


def judge(statements: Iterable[Statement], action: str, resource: str, context: Context) -> Verdict:
    """An explicit deny goes before an allow; what nothing allows is not allowed."""
    effects = {each.effect for each in statements if each.applies(action, resource, context)}
    if "Deny" in effects:
        return "denied"
    return "allowed" if "Allow" in effects else "not allowed"


def matches(pattern: str, text: str) -> bool:
    """``*`` stands for any characters, also none; ``?`` for one."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _fits(operator: str, value: str, given: str) -> bool:
    """ArnEquals takes wildcards within each part of an ARN, as ArnLike does."""
    if operator in {"StringEquals", FOR_ALL}:
        return value == given
    parts, found = value.split(":", 5), given.split(":", 5)
    return len(parts) == len(found) and all(map(matches, parts, found))


def _is_action(action: str) -> bool:
    return action == "*" or action.count(":") == 1
