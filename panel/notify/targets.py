"""Who is told: the only writer of targets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from secrets import token_urlsafe
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from panel import audit, outbound
from panel.accounts.models import Team
from panel.accounts.roles import Person, may, teams
from panel.audit import Action
from panel.notify import by_apprise, outbox
from panel.notify.kinds import choosable
from panel.notify.models import Delivery, Target
from panel.notify.sealing import seal

MANAGE = "notification.manage"
REMOVED = "The target was removed."


class Invalid(Exception):  # noqa: N818 - an answer, not an error
    """A field holds what it can't."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


@dataclass(frozen=True)
class Added:
    """`secret` is what a webhook's deliveries are signed with: shown once, here. Empty for the other ways."""

    target: Target
    secret: str


def managed(person: Person) -> QuerySet[Target]:
    """The targets that this person may manage."""
    own = Q(team__in=teams(person, MANAGE))
    return Target.objects.filter(own | Q(team=None) if may(person, MANAGE, None) else own).select_related("team")


def told(person: Person) -> QuerySet[Delivery]:
    """What was told to targets that this person may manage, also to those that are gone."""
    own = Q(team__in=teams(person, MANAGE))
    return Delivery.objects.filter(own | Q(team=None) if may(person, MANAGE, None) else own).select_related("notice")


def add(team: Team | None, name: str, way: str, address: str, kinds: Collection[str], *, by: str) -> Added:
    """Raises Invalid."""
    target = Target(team=team, name=_named(name), way=way, created_by=by, kinds=_known(kinds, team))
    secret = f"whsec_{token_urlsafe(32)}" if way == Target.Way.WEBHOOK else ""
    target.secret = seal(secret) if secret else ""
    _address(target, address)
    try:
        with transaction.atomic():
            target.save()
            audit.record(Action.NOTIFICATION_ADD, subject=_subject(target), after=_told(target))
    except IntegrityError:
        raise _taken(target) from None
    return Added(target, secret)


def change(target: Target, name: str, address: str, kinds: Collection[str]) -> None:
    """An empty `address` keeps the present one. Raises Invalid."""
    before, subject = _told(target), _subject(target)
    target.name, target.kinds = _named(name), _known(kinds, target.team)
    if address:
        _address(target, address)
    after = _told(target)
    changed = [key for key in after if after[key] != before[key]]
    if not changed and not address:
        return
    try:
        with transaction.atomic():
            target.rests_until, target.failures = None, 0
            target.save(update_fields=["name", "kinds", "address", "shown", "rests_until", "failures"])
            audit.record(
                Action.NOTIFICATION_CHANGE,
                subject=subject,
                before={key: before[key] for key in changed},
                after={key: after[key] for key in changed} | ({"address": "entered anew"} if address else {}),
            )
    except IntegrityError:
        raise _taken(target) from None


@transaction.atomic
def remove(target: Target) -> None:
    """What still waits for it is given up, and stays in the log."""
    waiting = Delivery.objects.filter(target=target, status=Delivery.Status.WAITING)
    waiting.update(status=Delivery.Status.GAVE_UP, error=REMOVED)
    subject, before = _subject(target), _told(target)
    target.delete()
    audit.record(Action.NOTIFICATION_REMOVE, subject=subject, before=before)


@transaction.atomic
def test(target: Target, *, by: str) -> Delivery:
    """Have a test delivered the way that everything else goes."""
    delivery = outbox.tell_one(target, by)
    audit.record(Action.NOTIFICATION_TEST, subject=_subject(target))
    return delivery


def _named(name: str) -> str:
    if not name.strip():
        raise Invalid("name", "Give it a name that says who reads it, like “on-call in Slack”.")
    return name.strip()


def _known(kinds: Collection[str], team: Team | None) -> list[str]:
    names = [kind.name for kind in choosable(every_team=team is None)]
    unknown = sorted(set(kinds) - set(names))
    if unknown:
        raise Invalid("kinds", f"{unknown[0]} is nothing that this target can be told of; choose from the list.")
    return [name for name in names if name in set(kinds)]


def check(way: str, address: str) -> str:
    """What of the address may be shown. Raises Invalid where nothing can be sent there."""
    try:
        match Target.Way(way):
            case Target.Way.CONSOLE:
                return ""
            case Target.Way.WEBHOOK:
                outbound.check(address)
                parts = urlsplit(address)
                return f"{parts.scheme}://{parts.netloc}/…"
            case Target.Way.APPRISE:
                by_apprise.check(address)
                return by_apprise.shown(address)
    except ValueError:
        raise Invalid("way", f"{way!r} is no way; it is one of {', '.join(Target.Way.values)}.") from None
    except (outbound.Refused, by_apprise.NotAccepted) as problem:
        raise Invalid("address", str(problem)) from None


def _address(target: Target, address: str) -> None:
    """Keep the address sealed, beside what of it may be shown. Raises Invalid."""
    target.shown = check(target.way, address)
    target.address = seal(address) if target.way != Target.Way.CONSOLE else ""


def _taken(target: Target) -> Invalid:
    return Invalid("name", f"There is a target {target.name!r} already; give this one another name.")


def _subject(target: Target) -> str:
    return f"{target.name} of {target.team.slug if target.team else 'every team'}"


def _told(target: Target) -> dict[str, str]:
    return {"name": target.name, "way": target.way, "address": target.shown, "kinds": ", ".join(target.kinds)}
