"""What a benchmark measured: figures with their limits, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NOT_SEEN = "-"


@dataclass(frozen=True)
class Figure:
    """``of`` is what was measured, where several are compared. ``value`` is None where it never came to be measured.

    ``better`` is "lower", "higher", or "" where neither is; ``most`` and ``least`` are the limits that must hold.
    """

    name: str
    value: float | None
    unit: str = ""
    of: str = ""
    better: str = "lower"
    most: float | None = None
    least: float | None = None

    @property
    def holds(self) -> bool:
        if self.most is None and self.least is None:
            return True
        if self.value is None:
            return False
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def limit(self) -> str:
        """In words; "" where there is none."""
        bounds = (("at most", self.most), ("at least", self.least))
        return " and ".join(f"{word} {shown(bound)}" for word, bound in bounds if bound is not None)

    def described(self) -> dict[str, Any]:
        return {
            "of": self.of,
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "better": self.better,
            "most": self.most,
            "least": self.least,
            "holds": self.holds,
        }


def read(described: dict[str, Any]) -> Figure:
    """What ``described`` made of a figure."""
    return Figure(**{key: value for key, value in described.items() if key != "holds"})


def table(title: str, figures: Sequence[Figure]) -> str:
    """A line for each name, a column for each thing measured, then the limit and whether it holds."""
    columns = list(dict.fromkeys(figure.of for figure in figures))
    rows = [["", *columns, "limit", ""]] if columns != [""] else []
    names = dict.fromkeys(figure.name for figure in figures)
    rows += [_row(name, columns, [figure for figure in figures if figure.name == name]) for name in names]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join([title, *("  " + _aligned(row, widths) for row in rows), ""])


def shown(value: float | None) -> str:
    """A number with as many digits as a reader needs."""
    if value is None:
        return NOT_SEEN
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _row(name: str, columns: Sequence[str], figures: Sequence[Figure]) -> list[str]:
    by_column = {figure.of: figure for figure in figures}
    unit = figures[0].unit
    values = [shown(by_column[column].value) if column in by_column else "" for column in columns]
    limited = [figure for figure in figures if figure.limit]
    limits = _limits(limited, alike=len(limited) == len(columns))
    verdict = ("ok" if all(figure.holds for figure in limited) else "BROKEN") if limited else ""
    return [f"{name} ({unit})" if unit else name, *values, limits, verdict]


def _limits(limited: Sequence[Figure], *, alike: bool) -> str:
    """Each with whose it is, unless all columns have the same."""
    if alike and len({figure.limit for figure in limited}) == 1:
        return limited[0].limit
    return "; ".join(f"{figure.of} {figure.limit}" for figure in limited)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *values, limit, verdict = row
    width, *value_widths, limit_width, _ = widths
    cells = [f"{value:>{each}}" for value, each in zip(values, value_widths, strict=True)]
    return "  ".join([f"{first:<{width}}", *cells, f"{limit:<{limit_width}}", verdict]).rstrip()
