"""Who is in which team: the only writer of memberships."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from panel import audit
from panel.accounts.models import Membership, Team
from panel.audit import Action

ROLES = tuple(role.value for role in Membership.Role)


class Unknown(Exception):  # noqa: N818 - an answer, not an error
    """There is no such person or team."""


def person(username: str) -> User:
    found = User.objects.filter(username=username).first()
    if found is None:
        raise Unknown(f"There is no account {username!r}: make it with manage.py createsuperuser or single sign-on.")
    return found


def team(slug: str) -> Team:
    found = Team.objects.filter(slug=slug).first()
    if found is None:
        raise Unknown(f"There is no team {slug!r}: make it with manage.py create_team {slug}.")
    return found


def set_role(user: User, team: Team | None, role: str) -> str:
    """Give `user` a role, or none, in `team`, or in every team with None. Answers with what changed, in words."""
    where = team.slug if team else "every team"
    before = Membership.objects.filter(user=user, team=team).values_list("role", flat=True).first() or "none"
    with transaction.atomic():
        if role == "none":
            Membership.objects.filter(user=user, team=team).delete()
        else:
            Membership.objects.update_or_create(user=user, team=team, defaults={"role": role})
        subject = f"{user.get_username()} in {where}"
        audit.record(Action.MEMBER_SET, subject=subject, before={"role": before}, after={"role": role})
    return f"{subject}: {before} → {role}"
