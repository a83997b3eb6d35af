"""An action as its page shows it: its words, its form, what will happen, and the service that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.contrib.auth.models import User

from failover.model import Goal
from panel.web import forms
from panel.web.subjects import About

S = TypeVar("S", bound=About)


@dataclass(frozen=True)
class Plan:
    """`steps` is what will happen, in order; `warnings` is what to know before. What is confirmed is the plan with this
    `digest`; without one it holds whatever AWS shows.
    """

    steps: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class Action(Generic[S]):
    """`title` takes the subject's name. `run` may raise services.Refused or services.Invalid. Beside the form's fields
    it is given `digest`, that of the plan that was confirmed, and `supersedes`, the operation that was to be replaced;
    either may be empty.
    """

    title: str
    button: str
    form: type[forms.PlainForm]
    plan: Callable[[S], Plan]
    run: Callable[[S, dict[str, Any], User], object]
    initial: Callable[[S], dict[str, Any]] = lambda subject: {}  # noqa: ARG005 - most forms start empty
    kind: str = "primary"
    goal: Goal | None = None
