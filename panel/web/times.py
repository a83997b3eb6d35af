"""Moments and durations as people read them; the script tells them in the browser's zone and lets clocks tick."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

MINUTE, HOUR, DAY = 60, 3600, 86400


def as_datetime(at: datetime | float) -> datetime:
    """Epoch seconds or an aware datetime, as UTC."""
    return at.astimezone(UTC) if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)


def as_epoch(at: datetime | float) -> float:
    return at.timestamp() if isinstance(at, datetime) else at


def duration(seconds: float) -> str:
    """`48 s`, `1 min 02 s`, `3 h 05 min`, `9 d`: never more than two units, so that columns stay narrow."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} min"
    return f"{whole // DAY} d"


def coarse(seconds: float) -> str:
    """As `duration`, but without seconds beside minutes."""
    return f"{int(seconds) // MINUTE} min" if MINUTE <= seconds < HOUR else duration(seconds)


def span(seconds: float) -> str:
    """A limit in a sentence: `30 s`, `5 min`, `1 h 30 min`."""
    return duration(seconds).replace(" 00 s", "").replace(" 00 min", "")


def precise(seconds: float) -> str:
    """A measured time: tenths below ten seconds."""
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def moment(at: datetime | float) -> SafeString:
    """A point in time: UTC here, the browser's zone once the script ran; UTC stays on hover."""
    when = as_datetime(at)
    return format_html(
        '<time datetime="{}" title="{}" data-local>{} UTC</time>',
        when.isoformat(timespec="seconds"),
        f"{when:%Y-%m-%d %H:%M:%S} UTC",
        f"{when:%d %b %H:%M:%S}",
    )


def ticking(since: datetime | float, now: float, *, style: str = "fine") -> SafeString:
    """How long ago `since` was, counted on by the script. `style`: fine or coarse."""
    when = as_datetime(since)
    text = (coarse if style == "coarse" else duration)(now - when.timestamp())
    return format_html(
        '<time datetime="{}" title="{}" data-clock="{}">{}</time>',
        when.isoformat(timespec="seconds"),
        _("since %(when)s UTC") % {"when": f"{when:%Y-%m-%d %H:%M:%S}"},
        style,
        text,
    )


def took(start: datetime, end: datetime) -> str:
    return precise((end - start).total_seconds())


def clock(at: float) -> str:
    """Hours and minutes, UTC: an axis label until the script says it in the browser's zone."""
    return f"{as_datetime(at):%H:%M}"
