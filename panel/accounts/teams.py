"""Teams: the only writer of them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from panel import audit
from panel.accounts.models import Team
from panel.audit import Action

RESERVED = frozenset({"-", "all"})  # stand for every team, in addresses and in `manage.py set_role`


class TeamError(Exception):
    """The team can't be like this. `field` is slug or name, the message a sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def create(slug: str, name: str = "") -> Team:
    """A team, with an external id of its own. Raises TeamError."""
    team = Team(slug=slug, name=name or slug)
    _check(team)
    with transaction.atomic():
        team.save()
        audit.record(Action.TEAM_CREATE, subject=team.slug)
    return team


def rename(team: Team, name: str) -> None:
    """Call it otherwise; its short name, which applications' TOML has, stays. Raises TeamError."""
    before, team.name = team.name, name
    _check(team)
    if name == before:
        return
    with transaction.atomic():
        team.save(update_fields=["name"])
        audit.record(Action.TEAM_RENAME, subject=team.slug, before={"name": before}, after={"name": name})


def _check(team: Team) -> None:
    if team.slug in RESERVED:
        raise TeamError("slug", f"{team.slug!r} stands for every team: choose another short name.")
    try:
        team.full_clean()
    except ValidationError as problem:
        field, messages = next(iter(problem.message_dict.items()))
        raise TeamError(field, " ".join(messages)) from None
