"""The table of what people are told of, `kinds.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("kinds.toml")
TEST = "test"
SEVERITIES = ("info", "warning", "critical")


@dataclass(frozen=True)
class Kind:
    """`again`: how long the same about the same thing becomes one message with a count; zero where each is told."""

    name: str
    severity: str
    title: str
    sentence: str
    next: str
    link: str
    says: str
    default: bool = False
    panel: bool = False
    again: timedelta = timedelta(0)


@cache
def kinds() -> dict[str, Kind]:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {name: Kind(name, **{**row, "again": timedelta(minutes=row.get("again", 0))}) for name, row in table.items()}


def choosable(*, every_team: bool) -> list[Kind]:
    """What a target may want. Only one of every team is told about the panel itself."""
    return [kind for kind in kinds().values() if kind.name != TEST and (every_team or not kind.panel)]


def markdown() -> str:
    """The table as documentation shows it."""
    lines = ["| kind | severity | | wanted at first |", "|---|---|---|:-:|"]
    for kind in kinds().values():
        wanted = "" if kind.name == TEST else "yes" if kind.default else "no"
        only = " (targets of every team)" if kind.panel else ""
        lines.append(f"| `{kind.name}` | {kind.severity} | {kind.says}{only} | {wanted} |")
    return "\n".join(lines)
