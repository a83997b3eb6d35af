"""Who is told of what: the calls of the notifications' page."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.responses import Status
from pydantic import AfterValidator, Field

from panel.accounts import roles
from panel.api.auth import caller, require
from panel.api.pages import Cursor, Limit, page
from panel.api.problems import Problem
from panel.api.schemas import SAYS_SOMETHING, STORABLE, Id, Key, Page, Taken, storable
from panel.notify import targets
from panel.notify.kinds import choosable
from panel.notify.models import Delivery, Target
from panel.operations.services import Invalid
from panel.settings_pages.permitted import visible_team

READ = dict.fromkeys((401, 422, 429), Problem)
CHANGE = {**READ, 400: Problem, 403: Problem, 404: Problem}
Name = Annotated[str, Field(min_length=1, max_length=60, json_schema_extra=SAYS_SOMETHING), AfterValidator(storable)]
Address = Annotated[str, Field(max_length=2000, json_schema_extra=STORABLE), AfterValidator(storable)]
KindName = Annotated[Key, Field(json_schema_extra={"enum": [kind.name for kind in choosable(every_team=True)]})]
Way = Literal["webhook", "apprise", "console"]
router = Router(tags=["notifications"])


class TargetWanted(Taken):
    """`team` null: of every team, and of the panel itself. `address` stays empty for the console."""

    team: Key | None = None
    name: Name
    way: Way
    address: Address = ""
    kinds: Annotated[list[KindName], Field(min_length=1, max_length=100)]


class TargetShown(Schema):
    """`address` without what is secret in it."""

    id: int
    team: str | None
    name: str
    way: Way
    address: str
    kinds: list[str]
    created_by: str
    created_at: datetime


class TargetAdded(TargetShown):
    """`secret` is what a webhook's deliveries are signed with, shown this once; null for the other ways."""

    secret: str | None


class DeliveryShown(Schema):
    """`error` says how the last try failed; `next_try_at` is null once it is over."""

    id: int
    message_id: str
    target: str
    kind: str
    title: str
    application: str
    happened_at: datetime
    status: Literal["waiting", "delivered", "gave up"]
    tries: int
    sent_at: datetime | None
    next_try_at: datetime | None
    error: str


@router.get("", response={200: Page[TargetShown], **READ})
def list_targets(request: HttpRequest, cursor: Cursor = None, limit: Limit = 50) -> Page[Any]:
    """The targets that the token may manage."""
    return page(targets.managed(caller(request)), cursor, limit, _target)


@router.post("", response={201: TargetAdded, **CHANGE})
def add_target(request: HttpRequest, given: TargetWanted) -> Any:
    """Have somebody told."""
    team = None
    if given.team is not None:
        team = visible_team(request, given.team)
    require(request, targets.MANAGE, team.pk if team else None)
    try:
        added = targets.add(team, given.name, given.way, given.address, given.kinds, by=caller(request).get_username())
    except targets.Invalid as invalid:
        raise Invalid(invalid.field, invalid.message) from None
    return Status(201, TargetAdded(**_target(added.target).dict(), secret=added.secret or None))


@router.get("/deliveries", response={200: Page[DeliveryShown], **READ})
def list_deliveries(request: HttpRequest, cursor: Cursor = None, limit: Limit = 50) -> Page[Any]:
    """What was told, newest first, and what became of it."""
    return page(targets.told(caller(request)), cursor, limit, _delivery)


@router.delete("/{pk}", response={204: None, **CHANGE})
def remove_target(request: HttpRequest, pk: Id) -> Any:
    """Have a target told nothing any more."""
    targets.remove(_managed(request, pk))
    return Status(204, None)


@router.post("/{pk}/test", response={202: DeliveryShown, **CHANGE})
def test_target(request: HttpRequest, pk: Id) -> Any:
    """Have a test delivered the way that everything else goes; the list of deliveries says what became of it."""
    return Status(202, _delivery(targets.test(_managed(request, pk), by=caller(request).get_username())))


def _managed(request: HttpRequest, pk: int) -> Target:
    found = roles.mine(Target.objects.all(), caller(request), pk=pk)
    require(request, targets.MANAGE, found.team_id)
    return found


def _target(row: Target) -> TargetShown:
    return TargetShown.model_validate({
        "id": row.pk, "team": row.team.slug if row.team else None, "name": row.name, "way": row.way,
        "address": row.shown, "kinds": row.kinds, "created_by": row.created_by, "created_at": row.created_at,
    })  # fmt: skip


def _delivery(row: Delivery) -> DeliveryShown:
    notice, waits = row.notice, row.status == Delivery.Status.WAITING
    return DeliveryShown.model_validate({
        "id": row.pk, "message_id": str(row.message_id), "target": row.target_name, "kind": notice.kind,
        "title": notice.title, "application": notice.application, "happened_at": notice.happened_at,
        "status": row.status, "tries": row.tries, "sent_at": row.sent_at,
        "next_try_at": row.next_try_at if waits else None, "error": row.error,
    })  # fmt: skip
