"""What automation would do now, and each thing that stops it or would let it go on."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from failover.model import Position
from panel.web import sentences
from panel.web.standing import Standing
from panel.web.times import moment


@dataclass(frozen=True)
class Condition:
    """Something that automation asks before it starts anything; `holds` is None where it can't be told."""

    name: str
    holds: bool | None
    says: str | SafeString

    @property
    def shape(self) -> str:
        return {True: "✓", False: "✕", None: "?"}[self.holds]

    @property
    def word(self) -> str:
        return {True: "yes", False: "no", None: _("not known")}[self.holds]


def intent(standing: Standing) -> str:
    """What automation is after, were nothing in its way."""
    if standing.active:
        return _("An operation runs: automation waits until it has ended.")
    if standing.stale or standing.position is Position.UNKNOWN or standing.alarms is None:
        return _("It does nothing on what it can't read.")
    if standing.alarming and standing.position is not Position.ECS:
        return _("It wants to fail over to ECS.")
    if standing.position in (Position.ECS, Position.SPLIT):
        return _("It wants to bring traffic home to Lambda.")
    return _("Nothing: traffic is on Lambda and no alarm is on.")


def conditions(standing: Standing) -> tuple[Condition, ...]:
    """In the order in which automation asks."""
    hold, switch = standing.hold, standing.kill_switch
    return (
        Condition(_("AWS is read"), not standing.stale, _read(standing)),
        Condition(
            _("Kill switch is off"),
            switch is None,
            format_html(_("On, by {}, since {}"), switch.by, moment(switch.at)) if switch else "",
        ),
        Condition(
            _("Mode is auto"),
            standing.application.mode == "auto",
            _("Mode is %(mode)s") % {"mode": standing.application.mode},
        ),
        Condition(_("No hold"), hold is None, sentences.held(hold) if hold else ""),
        Condition(
            _("No operation runs"),
            standing.active is None,
            _("%(active)s runs") % {"active": sentences.title(standing.active)} if standing.active else "",
        ),
        Condition(_("Weights are as they were left"), _undrifted(standing), "; ".join(standing.drift)),
    )


def _read(standing: Standing) -> str | SafeString:
    if standing.read_at is None:
        return _("Never read yet")
    return format_html(_("Last read {}"), moment(standing.read_at)) if standing.stale else ""


def _undrifted(standing: Standing) -> bool | None:
    return None if standing.stale else not standing.drift
