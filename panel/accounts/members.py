"""Who is in which team: the only writer of memberships."""

from __future__ import annotations

from collections.abc import Mapping

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
    """Give `user` a role by hand, or none, in `team`, or in every team with None. Answers with what changed, in words.

    What a group of the single sign-on gives stays as it is.
    """
    with transaction.atomic():
        before = _set(user, team, role, from_group=False)
        subject = _subject(user, team)
        audit.record(Action.MEMBER_SET, subject=subject, before={"role": before}, after={"role": role})
    return f"{subject}: {before} → {role}"


def follow_groups(user: User, roles: Mapping[Team | None, str], actor: str) -> None:
    """Make the memberships that came from groups exactly `roles`. What was given by hand stays as it is."""
    with transaction.atomic():
        known = {each.team: each.role for each in user.memberships.filter(from_group=True).select_related("team")}
        changed = [team for team in {**known, **roles} if known.get(team) != roles.get(team)]
        for team in sorted(changed, key=lambda team: team.slug if team else ""):
            after = roles.get(team, "none")
            before = _set(user, team, after, from_group=True)
            audit.record(
                Action.MEMBER_SET,
                subject=_subject(user, team),
                before={"role": before},
                after={"role": after},
                reason="by the groups of the single sign-on",
                actor=actor,
            )


def _set(user: User, team: Team | None, role: str, *, from_group: bool) -> str:
    """Answers with the role that was there before."""
    there = Membership.objects.filter(user=user, team=team, from_group=from_group)
    before = there.values_list("role", flat=True).first() or "none"
    if role == "none":
        there.delete()
    else:
        Membership.objects.update_or_create(user=user, team=team, from_group=from_group, defaults={"role": role})
    return before


def _subject(user: User, team: Team | None) -> str:
    return f"{user.get_username()} in {team.slug if team else 'every team'}"
