"""What an action is about: an application, one of its operations, or the whole panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from django.urls import reverse
from django.utils.translation import gettext as _

from panel.operations.models import Hold, KillSwitch, Operation
from panel.web.standing import Standing


class About(Protocol):
    """`name` goes into the action's title, `back` is the page that it was asked for from."""

    @property
    def name(self) -> str: ...

    @property
    def back(self) -> str: ...

    @property
    def hold(self) -> Hold | None:
        """The hold that binds it, or that was shown to whoever releases it."""

    @property
    def active(self) -> Operation | None:
        """The operation that runs here, if one does."""

    @property
    def team(self) -> int | None:
        """The team that owns it; None: the whole panel."""

    @property
    def slug(self) -> str:
        """The application's; empty for the whole panel."""

    @property
    def about(self) -> str:
        """The operation that it is done to, in words; empty without one."""


@dataclass(frozen=True)
class Subject:
    """An application. `operation` is the one to cancel or to try again, `hold` the one to release, `weights` (Lambda,
    ECS) those that are to be set, once they are known.
    """

    standing: Standing
    operation: Operation | None = None
    hold: Hold | None = None
    weights: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        return self.standing.application.name

    @property
    def back(self) -> str:
        if self.operation:
            return reverse("web:operation", args=[self.operation.pk])
        return reverse("web:application", args=[self.standing.application.slug])

    @property
    def active(self) -> Operation | None:
        return self.standing.active

    @property
    def team(self) -> int | None:
        return self.standing.application.team_id

    @property
    def slug(self) -> str:
        return self.standing.application.slug

    @property
    def about(self) -> str:
        return str(self.operation) if self.operation else ""


@dataclass(frozen=True)
class Panel:
    """All applications. `kill_switch` is None while it is off, `hold` is one for all of them."""

    kill_switch: KillSwitch | None
    hold: Hold | None = None

    @property
    def name(self) -> str:
        return _("all applications")

    @property
    def back(self) -> str:
        return reverse("web:fleet")

    @property
    def active(self) -> Operation | None:
        return None

    @property
    def team(self) -> int | None:
        return None

    @property
    def slug(self) -> str:
        return ""

    @property
    def about(self) -> str:
        return ""
