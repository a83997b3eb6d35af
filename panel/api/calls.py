"""The calls. Each parses, asks whether the caller may, calls a service, and shows what came of it."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Header, Query
from ninja.openapi.docs import Swagger
from ninja.responses import Status

from failover.codec import decode
from failover.model import Goal, Memory, Request, Split
from failover.plan import foresee
from panel import trails
from panel.accounts.roles import mine, owned
from panel.api import notifications, problems, schemas, shown
from panel.api.auth import Bearer, Rate, caller, require
from panel.api.pages import Cursor, Limit, page, page_together
from panel.api.problems import Api, Problem
from panel.api.schemas import GoalName, Id, Key, Page
from panel.drills import services as drills
from panel.drills.models import Drill
from panel.fleet import snapshots
from panel.fleet.applications import configuration
from panel.fleet.exporting import exported
from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Hold, Operation, Refusal
from panel.web import events as event_pages
from panel.web.standing import now, standing_of, whole_standings
from panel.web.trail import visible

RATE = "600/m"  # per token
READ = dict.fromkeys((401, 422, 429, 503), Problem)
ONE = {**READ, 404: Problem}
CHANGE = {**ONE, **dict.fromkeys((400, 403, 409, 413), Problem)}

api = Api(
    title="Failover panel",
    version="1",
    description="Everything that the pages do. A token is made by `manage.py create_api_token`; errors are problem "
    "documents (RFC 9457). Give a request that starts something an `Idempotency-Key`, and send it again when unsure.",
    urls_namespace="api",
    auth=Bearer(),
    throttle=[Rate(RATE)],
    docs=Swagger(settings={"persistAuthorization": False}),
)
problems.handle(api)
api.add_router("/notifications", notifications.router)


# ---- applications ----


def _applications(request: HttpRequest) -> QuerySet[Application]:
    return owned(Application.objects.select_related("stored_snapshot", "team"), caller(request))


def _application(request: HttpRequest, slug: str) -> Application:
    related = Application.objects.select_related("stored_snapshot", "team")
    row = mine(related, caller(request), slug=slug)
    problems.concerns(request, row.slug)
    return row


@api.get("/applications", response={200: Page[schemas.ApplicationShown], **READ}, by_alias=True, tags=["applications"])
def applications(request: HttpRequest, cursor: Cursor = None, limit: Limit = 50) -> Page[Any]:
    """The applications of the token's teams, as AWS was last read."""
    return page_together(
        _applications(request),
        cursor,
        limit,
        lambda rows: [shown.application(each) for each in whole_standings(rows, now())],
    )


@api.get("/applications/{slug}", response={200: schemas.ApplicationShown, **ONE}, by_alias=True, tags=["applications"])
def application(request: HttpRequest, slug: Key) -> schemas.ApplicationShown:
    """One application, as AWS was last read."""
    return shown.application(standing_of(_application(request, slug), now()))


@api.get(
    "/applications/{slug}/plan",
    response={200: schemas.PlanShown, **ONE, 409: Problem},
    by_alias=True,
    tags=["applications"],
)
def plan(
    request: HttpRequest,
    slug: Key,
    goal: GoalName,
    weight_lambda: Annotated[int | None, Query(None, alias="lambda", ge=0, le=999)] = None,
    weight_ecs: Annotated[int | None, Query(None, alias="ecs", ge=0, le=999)] = None,
) -> schemas.PlanShown:
    """What an operation would do now: its steps, what each changes in AWS, how each rule judges it, and the digest."""
    row = _application(request, slug)
    wanted = _request(goal, weight_lambda, weight_ecs)
    snapshot = snapshots.latest(row)
    if snapshot is None:
        raise services.Refused("stale", f"AWS was not read for {slug} yet.", "Ask again in a few seconds.")
    memory = decode(Memory, row.memory)
    return shown.plan(foresee(configuration(row), wanted, snapshot, memory, now().timestamp()))


def _request(goal: str, lambda_: int | None, ecs: int | None) -> Request:
    given = lambda_ is not None or ecs is not None
    if (lambda_ is None or ecs is None) if goal == Goal.SET_WEIGHTS else given:
        raise services.Invalid("weights", "Give both weights with set_weights, and none with another goal.")
    if lambda_ is None or ecs is None:
        return Request(Goal(goal))
    try:
        return Request(Goal(goal), Split(lambda_, ecs))
    except ValueError as problem:
        raise services.Invalid("weights", str(problem)) from None


@api.get("/applications/{slug}/configuration", response={200: schemas.ConfigurationShown, **ONE}, tags=["applications"])
def configuration_of(request: HttpRequest, slug: Key) -> schemas.ConfigurationShown:
    """Its configuration as TOML, as `manage.py import_application` takes it. It holds no secret."""
    return schemas.ConfigurationShown(slug=slug, toml=exported(_application(request, slug)))


@api.put(
    "/applications/{slug}/mode",
    response={200: schemas.ApplicationShown, **CHANGE},
    by_alias=True,
    tags=["applications"],
)
def set_mode(request: HttpRequest, slug: Key, given: schemas.ModeWanted) -> schemas.ApplicationShown:
    """Say what automation may do for an application."""
    row = _application(request, slug)
    require(request, "mode.set", row.team_id)
    services.set_mode(row, given.mode, by=caller(request).get_username(), reason=given.reason)
    return shown.application(standing_of(_application(request, slug), now()))


@api.post(
    "/applications/{slug}/acknowledgements",
    response={201: schemas.AcknowledgementShown, **CHANGE},
    by_alias=True,
    tags=["applications"],
)
def acknowledge(request: HttpRequest, slug: Key, given: schemas.Comment) -> Any:
    """Say that a person has looked at the last failure, so that automation may go on."""
    row = _application(request, slug)
    require(request, "acknowledge", row.team_id)
    done = services.acknowledge(row, by=caller(request).get_username(), comment=given.comment)
    return Status(201, shown.acknowledgement(done))


# ---- operations ----


def _operations(request: HttpRequest) -> QuerySet[Operation]:
    found = Operation.objects.select_related("application", "requested_by")
    return owned(found, caller(request), "application")


def _operation(request: HttpRequest, pk: int) -> Operation:
    found = Operation.objects.select_related("application", "requested_by")
    row = mine(found, caller(request), "application", pk=pk)
    problems.concerns(request, row.application.slug)
    return row


@api.post(
    "/applications/{slug}/operations",
    response={201: schemas.OperationWhole, 200: schemas.OperationWhole, **CHANGE},
    by_alias=True,
    tags=["operations"],
)
def start(
    request: HttpRequest,
    slug: Key,
    given: schemas.OperationWanted,
    idempotency_key: Annotated[Key, Header("", alias="Idempotency-Key")] = "",
) -> Any:
    """Start an operation: 201. The same `Idempotency-Key` again answers 200 with the same operation."""
    row = _application(request, slug)
    require(request, "operation.start", row.team_id)
    if given.override:
        require(request, "operation.override", row.team_id)
    return _answered(_started(request, row, given, idempotency_key))


def _answered(operation: Operation) -> Any:
    """201 where this very request started it, 200 where one that came before did, with the same key."""
    ours = services.request_id_of(operation) == trails.request_id().get("request_id")
    return Status(201 if ours else 200, shown.whole_operation(operation))


def _started(request: HttpRequest, row: Application, given: schemas.OperationWanted, key: str) -> Operation:
    weights = (given.weights.lambda_, given.weights.ecs) if given.weights else None
    user, api_call = caller(request), Operation.Trigger.API
    if given.supersedes is None:
        return services.request_operation(
            row, given.goal, trigger=api_call, reason=given.reason, user=user, weights=weights,
            override=given.override, idempotency_key=key, digest=given.digest,
        )  # fmt: skip
    active = get_object_or_404(_operations(request).filter(application=row), pk=given.supersedes)
    return services.supersede_operation(
        active, given.goal, trigger=api_call, reason=given.reason, user=user, weights=weights,
        override=given.override, idempotency_key=key, digest=given.digest,
    )  # fmt: skip


@api.get("/operations", response={200: Page[schemas.OperationShown], **READ}, by_alias=True, tags=["operations"])
def operations(
    request: HttpRequest,
    application: Annotated[Key, Query("", description="only this one's")] = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[Any]:
    """Operations, newest first."""
    found = _operations(request).defer("document")
    return page(found.filter(application__slug=application) if application else found, cursor, limit, shown.operation)


@api.get("/operations/{pk}", response={200: schemas.OperationWhole, **ONE}, by_alias=True, tags=["operations"])
def operation(request: HttpRequest, pk: Id) -> schemas.OperationWhole:
    """One operation with its journal."""
    return shown.whole_operation(_operation(request, pk))


@api.post(
    "/operations/{pk}/cancel", response={202: schemas.OperationWhole, **CHANGE}, by_alias=True, tags=["operations"]
)
def cancel(request: HttpRequest, pk: Id, given: schemas.Reason) -> Any:
    """Have an operation end at a safe split."""
    row = _operation(request, pk)
    require(request, "operation.cancel", row.application.team_id)
    services.cancel_operation(row, reason=given.reason, user=caller(request))
    return Status(202, shown.whole_operation(_operation(request, pk)))


@api.post(
    "/operations/{pk}/retry",
    response={201: schemas.OperationWhole, 200: schemas.OperationWhole, **CHANGE},
    by_alias=True,
    tags=["operations"],
)
def retry(
    request: HttpRequest,
    pk: Id,
    given: schemas.Reason,
    idempotency_key: Annotated[Key, Header("", alias="Idempotency-Key")] = "",
) -> Any:
    """Start again what failed or was cancelled: 201. The same `Idempotency-Key` again answers 200 as the start does."""
    row = _operation(request, pk)
    require(request, "operation.retry", row.application.team_id)
    again = services.retry_operation(
        row, reason=given.reason, user=caller(request), trigger=Operation.Trigger.API, idempotency_key=idempotency_key
    )
    return _answered(again)


# ---- drills ----


def _drill(request: HttpRequest, pk: int) -> Drill:
    row = mine(Drill.objects.select_related("application", "requested_by"), caller(request), "application", pk=pk)
    problems.concerns(request, row.application.slug)
    return row


@api.post("/drills", response={201: schemas.DrillShown, 200: schemas.DrillShown, **CHANGE}, tags=["drills"])
def start_drill(
    request: HttpRequest,
    given: schemas.DrillWanted,
    idempotency_key: Annotated[Key, Header("", alias="Idempotency-Key")] = "",
) -> Any:
    """Start a drill or a rehearsal: 201. The same `Idempotency-Key` again answers 200 with the same drill.

    It begins within seconds, unless an alarm that blocks drills is in ALARM: then its `state` is not_started.
    """
    row, user = _application(request, given.application), caller(request)
    require(request, "drill.start", row.team_id)
    known = drills.replayed(user, idempotency_key)
    asked = drills.start_drill(row, given.kind, reason=given.reason, user=user, idempotency_key=idempotency_key)
    return Status(200 if known else 201, shown.drill(asked))


@api.get("/drills", response={200: Page[schemas.DrillShown], **READ}, tags=["drills"])
def list_drills(
    request: HttpRequest,
    application: Annotated[Key, Query("", description="only this one's")] = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[Any]:
    """Drills and rehearsals, newest first."""
    every = Drill.objects.select_related("application", "requested_by")
    found = owned(every, caller(request), "application")
    return page(found.filter(application__slug=application) if application else found, cursor, limit, shown.drill)


@api.get("/drills/{pk}", response={200: schemas.DrillShown, **ONE}, tags=["drills"])
def drill(request: HttpRequest, pk: Id) -> schemas.DrillShown:
    """One drill: how far it is, or what came of it."""
    return shown.drill(_drill(request, pk))


@api.post("/drills/{pk}/abort", response={202: schemas.DrillShown, **CHANGE}, tags=["drills"])
def abort_drill(request: HttpRequest, pk: Id, given: schemas.Reason) -> Any:
    """Have a drill end now, and bring traffic home where Lambda answers."""
    row = _drill(request, pk)
    require(request, "drill.start", row.application.team_id)
    drills.abort_drill(row, reason=given.reason, user=caller(request))
    return Status(202, shown.drill(_drill(request, pk)))


# ---- holds and the kill switch ----


@api.post("/applications/{slug}/holds", response={201: schemas.HoldShown, **CHANGE}, tags=["holds"])
def hold(request: HttpRequest, slug: Key, given: schemas.HoldWanted) -> Any:
    """Have nothing start by itself for an application."""
    row = _application(request, slug)
    require(request, "hold.place", row.team_id)
    owner = caller(request).get_username()
    return Status(201, shown.hold(services.place_hold(row, owner=owner, reason=given.reason, minutes=given.minutes)))


@api.delete("/applications/{slug}/holds/{pk}", response={204: None, **CHANGE}, tags=["holds"])
def release(request: HttpRequest, slug: Key, pk: Id) -> Any:
    """End a hold of an application now. One that has ended already stays as it was."""
    row = _application(request, slug)
    require(request, "hold.release", row.team_id)
    services.release_hold(get_object_or_404(Hold, pk=pk, application=row), by=caller(request).get_username())
    return Status(204, None)


@api.post("/holds", response={201: schemas.HoldShown, **CHANGE}, tags=["holds"])
def hold_all(request: HttpRequest, given: schemas.HoldWanted) -> Any:
    """Have nothing start by itself for any application."""
    require(request, "hold.all")
    owner = caller(request).get_username()
    return Status(201, shown.hold(services.place_hold(None, owner=owner, reason=given.reason, minutes=given.minutes)))


@api.delete("/holds/{pk}", response={204: None, **CHANGE}, tags=["holds"])
def release_all(request: HttpRequest, pk: Id) -> Any:
    """End a hold of all applications now."""
    require(request, "hold.all")
    services.release_hold(get_object_or_404(Hold, pk=pk, application=None), by=caller(request).get_username())
    return Status(204, None)


@api.get("/kill-switch", response={200: schemas.KillSwitchShown, **READ}, tags=["holds"])
def kill_switch(request: HttpRequest) -> schemas.KillSwitchShown:  # noqa: ARG001 - everybody who may call may see it
    """Whether the kill switch is on."""
    return shown.kill_switch(services.kill_switch())


@api.put("/kill-switch", response={200: schemas.KillSwitchShown, **CHANGE}, tags=["holds"])
def set_kill_switch(request: HttpRequest, given: schemas.KillSwitchWanted) -> schemas.KillSwitchShown:
    """Stop all automation, or let it go on."""
    require(request, "kill_switch.set")
    by = caller(request).get_username()
    return shown.kill_switch(services.set_kill_switch(on=given.on, by=by, reason=given.reason))


# ---- records ----


@api.get("/events", response={200: Page[schemas.EventShown], **READ}, tags=["records"])
def events(request: HttpRequest, cursor: Cursor = None, limit: Limit = 50) -> Page[Any]:
    """Events that were delivered, and what became of each. Unmatched ones for those who see every team."""
    found = event_pages.visible(caller(request)).defer("body").prefetch_related("applications")
    own = set(owned(Application.every.all(), caller(request)).values_list("slug", flat=True))
    return page(found, cursor, limit, lambda row: shown.event(row, own))


@api.get("/refusals", response={200: Page[schemas.RefusalShown], **READ}, tags=["records"])
def refusals(request: HttpRequest, cursor: Cursor = None, limit: Limit = 50) -> Page[Any]:
    """What would have started something and did not: which rule said no, and what clears it."""
    found = owned(Refusal.objects.select_related("application"), caller(request), "application")
    return page(found, cursor, limit, shown.refusal)


@api.get("/audit", response={200: Page[schemas.AuditShown], **READ}, tags=["records"])
def audit(
    request: HttpRequest,
    application: Annotated[Key, Query("", description="only this one's")] = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[Any]:
    """Who did what, and who was turned away; entries about the panel itself for who has a role in every team."""
    found = visible(caller(request))
    return page(found.filter(application=application) if application else found, cursor, limit, shown.audit)


def answer_unknown(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - whatever was asked
    """For every path below /api/v1 that is no call."""
    return problems.answer(404, "not-found", "There is no such call; /api/v1/docs lists them.")
