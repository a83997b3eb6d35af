"""What the services answer where they do not do what was asked."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """A rule says no. `remedy` is what clears it."""

    def __init__(self, rule: str, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}".strip())
        self.rule, self.reason, self.remedy = rule, reason, remedy


class Invalid(Exception):  # noqa: N818 - an answer, not an error
    """A field holds what it can't."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def require_reason(reason: str, *, whoever: str, field: str = "reason") -> None:
    """`whoever` says who will need it, as in "whoever reads this operation later". Raises Invalid."""
    if not reason.strip():
        raise Invalid(field, f"Give a {field}: {whoever} needs it.")
