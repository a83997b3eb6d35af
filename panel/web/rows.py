"""The fleet's rows: what needs a person first, each with the one action that makes sense now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from failover.model import Position, Service, Split, Targets
from panel.fleet.models import Application
from panel.fleet.snapshots import worst
from panel.web import badges, charts, sentences
from panel.web.attention import COLOURS, Attention, judge
from panel.web.badges import Badge
from panel.web.permissions import needed
from panel.web.runs import Run, run
from panel.web.standing import Standing
from panel.words import gettext_lazy


@dataclass(frozen=True)
class Link:
    """An action offered: a dialog (its label ends in an ellipsis) or a page. `kind` is a button's class."""

    label: str
    url: str
    kind: str = ""
    needs: str = "view"

    @property
    def dialog(self) -> bool:
        return self.label.endswith("…")


@dataclass(frozen=True)
class Tasks:
    """ECS tasks: how many answer, and how the rest stand."""

    healthy: int | None
    desired: int | None
    pending: int
    running: int

    @property
    def standby(self) -> bool:
        return self.desired == 0 and not self.pending and not self.running

    @property
    def figure(self) -> str:
        """How many answer, as a row says it, with `beside` after it and `rest` below."""
        known = 0 if self.standby else None if self.desired is None else self.healthy
        return "?" if known is None else str(known)

    @property
    def beside(self) -> str:
        if self.desired is None:
            return _("tasks not read")
        return _("tasks, standby") if self.standby else _("of %(desired)d healthy") % {"desired": self.desired}

    @property
    def rest(self) -> str:
        if self.desired is None or self.standby:
            return ""
        return _("%(running)d running, %(pending)d pending") % {"running": self.running, "pending": self.pending}


@dataclass(frozen=True)
class Bar:
    """A split as it is drawn: the weights as they are, the shares in percent of the width."""

    lambda_: int
    ecs: int
    lambda_percent: float
    ecs_percent: float

    @classmethod
    def of(cls, split: Split | None) -> Bar | None:
        if split is None:
            return None
        share = round(split.ecs_percent, 2)
        return cls(split.lambda_, split.ecs, round(100 - share, 2), share)


@dataclass(frozen=True)
class Row:
    """`marks` are what people should know beside the alarm: its mode, a hold, drift."""

    standing: Standing
    url: str
    marks: tuple[Badge, ...]
    attention: Attention
    badge: Badge
    sentence: SafeString
    split: Bar | None
    tasks: Tasks
    spark: charts.Spark | None
    run: Run | None
    action: Link

    @property
    def colour(self) -> str:
        return COLOURS.get(self.attention, "warn")


def attention(standing: Standing) -> Attention:
    return judge(
        alarm=worst(standing.alarms),
        position=standing.position,
        stale=standing.stale,
        active=standing.active is not None,
        failed=standing.failed is not None,
        held=standing.hold is not None,
    )


def row(standing: Standing, may: frozenset[str]) -> Row:
    """`may` is what the viewer is allowed to do to this application (panel.accounts.roles)."""
    snapshot, main = standing.snapshot, sensible(standing)
    return Row(
        standing=standing,
        url=_url(standing),
        marks=tuple(_marks(standing)),
        attention=attention(standing),
        badge=badges.of_alarms(standing),
        sentence=sentences.situation(standing),
        split=Bar.of(snapshot.split) if snapshot else None,
        tasks=tasks(snapshot.service.value, snapshot.targets.value) if snapshot else tasks(None, None),
        spark=charts.spark(snapshot),
        run=run(standing.active, standing.now) if standing.active else None,
        action=main if main.needs in may else _open(standing, _("Open")),
    )


def _marks(standing: Standing) -> Iterator[Badge]:
    mode = standing.application.mode
    if mode != Application.Mode.AUTO:
        yield Badge("warn", "‖", mode)
    if standing.hold:
        yield Badge("warn", "■", _("held"))
    if standing.drift:
        yield Badge("warn", "≠", _("drift"))


def tasks(service: Service | None, targets: Targets | None) -> Tasks:
    healthy = targets.ecs_healthy if targets else None
    if service is None:
        return Tasks(healthy, None, 0, 0)
    return Tasks(healthy, service.desired, service.pending, service.running)


def sensible(standing: Standing) -> Link:
    """The one action for this state."""
    if standing.active:
        return _open(standing, _("Watch"), "primary")
    if standing.stale or standing.position is Position.UNKNOWN:
        return _open(standing, _("Open"))
    if standing.hold and not standing.alarming:
        return dialog(standing, "release")
    if standing.position is Position.LAMBDA:
        return dialog(standing, "failover", "primary" if standing.alarming else "")
    if standing.position is Position.ECS:
        return _open(standing, _("Open")) if standing.alarming else dialog(standing, "failback")
    return dialog(standing, "set_weights")


LABELS = {
    "failover": gettext_lazy("Fail over…"),
    "failback": gettext_lazy("Fail back…"),
    "set_weights": gettext_lazy("Set weights…"),
    "hold": gettext_lazy("Hold…"),
    "release": gettext_lazy("Release…"),
}


def dialog(standing: Standing, action: str, kind: str = "") -> Link:
    return Link(
        LABELS[action],
        reverse(f"web:{action}", args=[standing.application.slug]),
        kind,
        needed(action, standing.hold),
    )


def _open(standing: Standing, label: str, kind: str = "") -> Link:
    return Link(label, _url(standing), kind)


def _url(standing: Standing) -> str:
    return reverse("web:application", args=[standing.application.slug])


def actions(standing: Standing, may: frozenset[str]) -> list[Link]:
    """What the viewer may do on the application's page, the sensible action last and filled."""
    return [link for link in _actions(standing) if link.needs in may]


def _actions(standing: Standing) -> list[Link]:
    if standing.active:
        cancel = Link("Cancel…", reverse("web:cancel", args=[standing.active.pk]), "danger", needed("cancel"))
        instead = [dialog(standing, name) for name in _INSTEAD if name != standing.active.goal]
        return [_hold_or_release(standing), *instead, cancel]
    main = sensible(standing)
    offered = [dialog(standing, name) for name in _moves(standing)]
    rest = [_hold_or_release(standing), *(link for link in offered if link.url != main.url)]
    rest = [link for link in rest if link.url != main.url]
    return [*rest, replace(main, kind="primary")] if main.dialog else rest


_INSTEAD = ("set_weights", "failback", "failover")  # what may take the place of a running operation


def _moves(standing: Standing) -> tuple[str, ...]:
    here = {Position.LAMBDA: ("set_weights", "failover"), Position.ECS: ("set_weights", "failback")}
    return here.get(standing.position, ("set_weights", "failback", "failover"))


def _hold_or_release(standing: Standing) -> Link:
    return dialog(standing, "release" if standing.hold else "hold")
