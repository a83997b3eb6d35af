"""Pages of a list: a token is where the next page starts."""

from typing import TypeVar

from lab.errors import AwsError

Item = TypeVar("Item")


def page(items: list[Item], token: str | None, size: int, error_code: str) -> tuple[list[Item], str | None]:
    """One page and the token of the next, None at the end. Raises AwsError with ``error_code`` for a wrong token."""
    if token is not None and not token.isdecimal():
        raise AwsError(error_code, f"'{token}' is not a token that this call returned")
    start = int(token or 0)
    end = start + size
    return items[start:end], str(end) if end < len(items) else None
