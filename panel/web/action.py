"""An action as its page shows it: its words, its form, what will happen, and the service that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.contrib.auth.models import User

from failover.model import Goal
from panel.web import forms
from panel.web.foreseen import Foreseen
from panel.web.subjects import About

S = TypeVar("S", bound=About)


CONFIRMED = ("digest", "overriding", "rules", "supersedes", "hold", "failure", "key")


@dataclass(frozen=True)
class Plan:
    """`steps` is what will happen, in order; `warnings` is what to know before. What is confirmed is the plan with this
    `digest`; without one it holds whatever AWS shows. `about` names what else was shown and is confirmed with it: the
    hold to release, the failure to acknowledge. `foreseen` has the steps one by one, with what each changes,
    and `afterwards` is what holds once they are done.
    """

    steps: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    digest: str = ""
    about: tuple[tuple[str, int], ...] = ()
    foreseen: Foreseen | None = None
    afterwards: str = ""


@dataclass(frozen=True)
class Action(Generic[S]):
    """`title` takes the subject's name. `run` may raise services.Refused or services.Invalid. Beside the form's fields
    it is given what the page said (`CONFIRMED`), each of which may be empty: `digest`, that of the plan that was
    confirmed, `overriding` the same for the plan that overrides `rules`, `supersedes` the operation that was to be
    replaced, `hold` and `failure` those that were shown, `key` the page's own, so that a second click starts nothing.
    """

    title: str
    button: str
    form: type[forms.PlainForm]
    plan: Callable[[S], Plan]
    run: Callable[[S, dict[str, Any], User], object]
    initial: Callable[[S], dict[str, Any]] = lambda subject: {}  # noqa: ARG005 - most forms start empty
    kind: str = "primary"
    goal: Goal | None = None
