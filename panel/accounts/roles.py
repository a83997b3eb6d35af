"""Who may do what: the table in `roles.toml`, applied to a person and a team."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Model, Q, QuerySet
from django.http import Http404

from panel import audit
from panel.accounts.models import Membership, Team

TABLE = Path(__file__).with_name("roles.toml")
M = TypeVar("M", bound=Model)
Person = AbstractBaseUser | AnonymousUser


class Role(IntEnum):
    """Each may do what those before it may. A superuser is an admin of every team, and so of the panel itself."""

    NONE = 0
    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @classmethod
    def named(cls, name: str) -> Role:
        return cls[name.upper()]


@dataclass(frozen=True)
class Action:
    """`panel`: the role must hold in every team. `again`: who does it proves once more who they are."""

    role: Role
    says: str
    panel: bool = False
    again: bool = False


@cache
def actions() -> dict[str, Action]:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {
        name: Action(Role.named(row["role"]), row["says"], row.get("panel", False), row.get("again", False))
        for name, row in table.items()
    }


def markdown() -> str:
    """The table as documentation shows it."""
    names = [role for role in Role if role is not Role.NONE]
    head = ["action", *(role.name.lower() for role in names), "in", ""]
    lines = [head, ["---", *[":-:"] * len(names), "---", "---"]]
    for name, action in actions().items():
        marks = [("again" if action.again else "yes") if role >= action.role else "" for role in names]
        lines.append([f"`{name}`", *marks, "every team" if action.panel else "the team", action.says])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def role_of(person: Person, team: Team | int | None) -> Role:
    """The person's role in a team; with None the one that holds in every team."""
    if not (isinstance(person, User) and person.is_active):
        return Role.NONE
    if person.is_superuser:
        return Role.ADMIN
    here = Membership.objects.filter(Q(team=team) | Q(team=None), user=person).values_list("role", flat=True)
    return max(map(Role.named, here), default=Role.NONE)


def allowed(person: Person, team: Team | int | None = None) -> frozenset[str]:
    """Everything that this person may do to what `team` owns, and to the panel itself."""
    here, everywhere = role_of(person, team), role_of(person, None)
    return frozenset(name for name, each in actions().items() if (everywhere if each.panel else here) >= each.role)


@dataclass(frozen=True)
class Grants:
    """A person's roles, read once: by team, None for the one that holds in every team."""

    by_team: dict[int | None, Role]

    @classmethod
    def of(cls, person: Person) -> Grants:
        if not (isinstance(person, User) and person.is_active):
            return cls({})
        if person.is_superuser:
            return cls({None: Role.ADMIN})
        found: dict[int | None, Role] = {}
        for team, role in person.memberships.values_list("team", "role"):  # by hand, by a group: the higher one counts
            found[team] = max(found.get(team, Role.NONE), Role.named(role))
        return cls(found)

    @property
    def everywhere(self) -> Role:
        return self.by_team.get(None, Role.NONE)

    def allowed(self, team: int | None = None) -> frozenset[str]:
        """As `allowed`."""
        here = max(self.everywhere, self.by_team.get(team, Role.NONE))
        return frozenset(
            name for name, each in actions().items() if (self.everywhere if each.panel else here) >= each.role
        )

    def owned(self, things: QuerySet[M], path: str = "") -> QuerySet[M]:
        """As `owned`."""
        if self.everywhere >= Role.VIEWER:
            return things
        prefix = f"{path}__" if path else ""
        return things.filter(**{f"{prefix}team__in": [team for team, role in self.by_team.items() if role]})


def may(person: Person, action: str, team: Team | int | None = None) -> bool:
    """Whether the table lets this person do `action` to something that `team` owns. KeyError for an unknown action."""
    wanted = actions()[action]
    return role_of(person, None if wanted.panel else team) >= wanted.role


def may_somewhere(person: Person, action: str) -> bool:
    """Whether there is a team in which this person may do `action`; what concerns the panel, in every team."""
    return may(person, action) or (not actions()[action].panel and teams(person, action).exists())


def teams(person: Person, action: str = "view") -> QuerySet[Team]:
    """The teams in which this person may do `action`."""
    if not (isinstance(person, User) and person.is_active):
        return Team.objects.none()
    needed = actions()[action].role
    if role_of(person, None) >= needed:
        return Team.objects.all()
    enough = [role.value for role in Membership.Role if Role.named(role) >= needed]
    return Team.objects.filter(memberships__user=person, memberships__role__in=enough).distinct()


def owned(things: QuerySet[M], person: Person, path: str = "") -> QuerySet[M]:
    """Those of `things` that a team of this person owns; `path` leads from them to their application."""
    if role_of(person, None) >= Role.VIEWER:
        return things
    prefix = f"{path}__" if path else ""
    return things.filter(Q(**{f"{prefix}team__in": teams(person)}))


def mine(things: QuerySet[M], person: Person, path: str = "", **wanted: Any) -> M:
    """The one that is wanted, where a team of this person owns it. Raises Http404, as if another team's were not there;
    that somebody asked for it is recorded.
    """
    found = owned(things, person, path).filter(**wanted).first()
    if found is not None:
        return found
    others = things.filter(**wanted).first()
    if others is not None:
        audit.deny(f"{others} belongs to another team.")
    raise Http404
