"""Values from anywhere as values that every database stores, and reads back, the same: their hash depends on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LONGEST = 2000
# PostgreSQL takes neither NUL nor lone surrogates; the rest would let a login name redraw a terminal or turn a line.
UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def text(value: object, longest: int = LONGEST) -> str:
    """At most so many characters, an ellipsis where some were cut, unfit ones as U+FFFD."""
    fit = UNFIT.sub("\ufffd", str(value))
    return fit if len(fit) <= longest else f"{fit[: longest - 1]}…"


def data(value: Any) -> Any:
    """JSON data. PostgreSQL reads 30.0 and 1e22 back as it likes, so a whole number is one from the start."""
    if isinstance(value, Mapping):
        return {text(key): data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [data(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and abs(value) < float("inf")):
        return value
    return text(value)
