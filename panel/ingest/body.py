"""A request's body as JSON that every database stores as it is.

PostgreSQL takes no NUL and no lone surrogate, JSON knows neither NaN nor Infinity, and depth costs stack: what AWS
never sends is refused with a sentence or replaced, but never becomes an error of ours: EventBridge would repeat it.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

DEEPEST = 100
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class BodyError(ValueError):
    """This is no JSON that can be stored. The message is a sentence."""


def parse(raw: bytes) -> Any:
    """Parse strictly (RFC 8259). Characters that no database takes become U+FFFD. Raises BodyError."""
    try:
        value = json.loads(raw.decode(), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError:
        raise BodyError("The body is not UTF-8 text.") from None
    except RecursionError:
        raise BodyError(TOO_DEEP) from None
    except ValueError as problem:
        raise BodyError(f"The body is not JSON: {problem}.") from None
    return _storable(value, 0)


TOO_DEEP = f"The body is nested more than {DEEPEST} levels deep."


def _storable(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise BodyError(TOO_DEEP)
    if isinstance(value, str):
        return UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_storable(key, depth): _storable(item, depth + 1) for key, item in value.items()}
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:20]} is too large")
    return number
