"""Who has an account and is in which team: the only writer of memberships."""

from __future__ import annotations

from collections.abc import Mapping

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse

from panel import audit
from panel.accounts.models import Membership, Team
from panel.audit import Action

ROLES = tuple(role.value for role in Membership.Role)
RESERVED = {audit.PANEL}  # what else acts under a name that a username could be
ADMIN = Membership.Role.ADMIN.value


class MemberError(Exception):
    """It can't be done. The message is a sentence."""


class Unknown(MemberError):  # noqa: N818 - an answer, not an error
    """There is no such person or team."""


class LastAdmin(MemberError):  # noqa: N818
    """Nobody would be left who may give anybody a role."""


def people() -> QuerySet[User]:
    """Every account of a person; a token's is none."""
    return User.objects.filter(api_token=None)


def fleet_admins() -> QuerySet[User]:
    """Who may do everything, in every team."""
    everywhere = Membership.objects.filter(team=None, role=ADMIN).values("user")
    return people().filter(Q(is_superuser=True) | Q(pk__in=everywhere), is_active=True)


def person(username: str) -> User:
    found = people().filter(username=username).first()
    if found is None:
        raise Unknown(
            f"There is no account {username!r}: make it under Settings, with manage.py createsuperuser or by single "
            "sign-on."
        )
    return found


def team(slug: str) -> Team:
    found = Team.objects.filter(slug=slug).first()
    if found is None:
        raise Unknown(f"There is no team {slug!r}: make it with manage.py create_team {slug}.")
    return found


def roles_in(team: Team | None) -> QuerySet[Membership]:
    """People's roles in a team, or in every team with None."""
    return Membership.objects.filter(team=team, user__api_token=None).select_related("user")


def role_in(user: User, team: Team | None) -> str:
    """By hand; `none` without one. A role in every team is none in this one."""
    return (
        Membership.objects.filter(user=user, team=team, from_group=False).values_list("role", flat=True).first()
        or "none"
    )


def set_role(user: User, team: Team | None, role: str) -> str:
    """Give `user` a role by hand, or none, in `team`, or in every team with None. Answers with what changed, in words.

    What a group of the single sign-on gives stays as it is. Raises LastAdmin.
    """
    with transaction.atomic():
        admins = _locked_admins()
        before = _set(user, team, role, from_group=False)
        _require_an_admin(admins)
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


def create_account(username: str) -> User:
    """An account that nobody can log in to before a password is set through its link. Raises MemberError."""
    if username.lower() in RESERVED:
        raise MemberError(f"{username!r} is what the panel itself is called in the audit trail: choose another name.")
    user = User(username=username)
    user.set_unusable_password()
    try:
        user.full_clean()
    except ValidationError as problem:
        raise MemberError(" ".join(problem.messages)) from None
    with transaction.atomic():
        if User.objects.filter(username__iexact=username).exists():
            raise MemberError(f"There is an account {username!r} already: add it by its name.")
        user.save()
        audit.record(Action.ACCOUNT_CREATE, subject=username)
    return user


def password_path(user: User) -> str:
    """The path of a page on which whoever has it sets this account's password, once, within PASSWORD_RESET_TIMEOUT."""
    with transaction.atomic():
        audit.record(Action.PASSWORD_LINK, subject=user.get_username())
    key = default_token_generator.make_token(user)
    return reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), key])


def set_active(user: User, *, active: bool) -> None:
    """Let an account log in, or no more: its sessions end with their next request. Raises LastAdmin."""
    with transaction.atomic():
        admins = _locked_admins()
        User.objects.filter(pk=user.pk).update(is_active=active)
        _require_an_admin(admins)
        audit.record(
            Action.ACCOUNT_SET, subject=user.get_username(), before={"active": user.is_active}, after={"active": active}
        )


def _locked_admins() -> int:
    """How many there are; two of them who remove each other do it one after the other."""
    return len(fleet_admins().select_for_update(of=("self",)).values_list("pk", flat=True))


def _require_an_admin(before: int) -> None:
    if before and not fleet_admins().exists():
        raise LastAdmin(
            "This is the last administrator of every team: nobody could give anybody a role any more. Make somebody "
            "else one first."
        )
