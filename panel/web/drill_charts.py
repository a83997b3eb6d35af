"""How long each drill took to recover, as columns that templates draw as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from panel.drills.models import Drill
from panel.web.times import precise

HEIGHT, TOP = 80, 6  # pixels: of the whole chart, and the air above its highest column
SLOT = 14


@dataclass(frozen=True)
class Bar:
    """`kind` is a class: ok, over (its target) or none (nothing was measured, drawn as a cross)."""

    x: float
    y: float
    height: float
    kind: str
    says: str


@dataclass(frozen=True)
class Bars:
    """Oldest first. `target_y` is None without a target."""

    bars: tuple[Bar, ...]
    width: int
    target_y: float | None
    target: float
    summary: str


def bars(newest_first: Sequence[Drill]) -> Bars | None:
    """None while there are fewer than two drills that were started."""
    found = [drill for drill in reversed(newest_first) if drill.state == Drill.State.ENDED]
    if len(found) < 2:
        return None
    target = found[-1].target_seconds
    measured = [drill.recovery for drill in found if drill.recovery is not None]
    top = max([*measured, target, 1.0])
    scale = (HEIGHT - TOP) / top
    drawn = tuple(_bar(number, drill, scale) for number, drill in enumerate(found))
    y = round(HEIGHT - target * scale, 1) if target else None
    return Bars(drawn, SLOT * len(found), y, target, _summary(found, measured))


def _bar(number: int, drill: Drill, scale: float) -> Bar:
    seconds = drill.recovery
    height = max(2.0, round((seconds or 0.0) * scale, 1))
    kind = "none" if seconds is None else "over" if drill.over_target or drill.outcome != "succeeded" else "ok"
    took = _("nothing measured") if seconds is None else precise(seconds)
    says = f"{drill.created_at:%d %b}: {drill.get_kind_display().lower()} {drill.get_outcome_display()}, {took}"
    return Bar(SLOT * number + 2, round(HEIGHT - height, 1), height, kind, says)


def _summary(found: Sequence[Drill], measured: Sequence[float]) -> str:
    succeeded = sum(drill.outcome == Drill.Outcome.SUCCEEDED for drill in found)
    slowest = _(", the slowest recovery took %(measured)s") % {"measured": precise(max(measured))} if measured else ""
    return _("%(succeeded)s of the last %(found)s succeeded%(slowest)s.") % {
        "succeeded": succeeded,
        "found": len(found),
        "slowest": slowest,
    }
