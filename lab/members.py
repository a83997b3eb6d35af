"""Which members of a call's input the lab reads: another one is refused, and not taken and then forgotten."""

from collections.abc import Iterator, Mapping
from typing import Any

from lab.errors import AwsError

# What is read by name: ALL for a member that is read whole, a mapping where its own members are looked at.
Known = Mapping[str, Any]
ALL: Known = {}


def refuse_unread(given: Mapping[str, Any], known: Known, code: str = "ValidationError") -> None:
    """Raises AwsError that names every member, however deep, that `known` does not have."""
    unread = list(_unread(given, known, ""))
    if unread:
        raise AwsError(code, f"The lab does not read {', '.join(unread)}")


def _unread(given: Any, known: Known, where: str) -> Iterator[str]:
    if known is ALL:
        return
    if isinstance(given, list):
        for each in given:
            yield from _unread(each, known, f"{where.removesuffix('.')}[].")
    elif isinstance(given, Mapping):
        for name, value in given.items():
            if name not in known:
                yield f"{where}{name}"
            else:
                yield from _unread(value, known[name], f"{where}{name}.")
