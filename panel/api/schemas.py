"""What goes in and out, field by field; the OpenAPI document is made from this."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from ninja import Schema
from pydantic import AfterValidator, AliasChoices, ConfigDict, Field, StrictBool

from failover.model import Mode
from panel.ingest.body import UNSTORABLE

T = TypeVar("T")
LARGEST_ID = 2**63 - 1


def storable(text: str) -> str:
    if UNSTORABLE.search(text):
        raise ValueError("It has a character that no database takes.")
    return text


# The patterns tell callers what `storable` and the services' "give a reason" refuse; they judge nothing here.
SAYS_SOMETHING, STORABLE = {"pattern": r"^[^\x00]*[^\s\x00][^\x00]*$"}, {"pattern": r"^[^\x00]*$"}
Text = Annotated[str, Field(min_length=1, max_length=1000, json_schema_extra=SAYS_SOMETHING), AfterValidator(storable)]
Key = Annotated[str, Field(max_length=255, json_schema_extra=STORABLE), AfterValidator(storable)]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
GoalName = Literal["failover", "failback", "set_weights"]
Weight = Annotated[int, Field(ge=0, le=999)]


class Taken(Schema):
    """What callers send: an unknown key is a mistake, and is told."""

    model_config = ConfigDict(extra="forbid")


class Weights(Taken):
    """Of the two target groups; not both 0."""

    lambda_: Weight = Field(alias="lambda")
    ecs: Weight


class Split(Schema):
    lambda_: int = Field(validation_alias=AliasChoices("lambda", "lambda_"), serialization_alias="lambda")
    ecs: int


class AlarmShown(Schema):
    name: str
    state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
    since: datetime


class RouteShown(Schema):
    arn: str
    label: str
    split: Split | None
    problem: str


class Ecs(Schema):
    """Tasks of the service, and healthy targets that are among them. Null is unknown."""

    desired: int | None
    pending: int | None
    running: int | None
    healthy: int | None


class HoldShown(Schema):
    """`application` is null for a hold of all applications."""

    id: int
    application: str | None
    owner: str
    reason: str
    rule: str
    created_at: datetime
    expires_at: datetime


class ApplicationShown(Schema):
    """`split` is null while routes differ or are unknown; `alarms` is null while they can't be read."""

    slug: str
    name: str
    team: str
    region: str
    account: str
    mode: Mode
    hold: HoldShown | None
    alarms: list[AlarmShown] | None
    split: Split | None
    routes: list[RouteShown]
    ecs: Ecs
    position: Literal["lambda", "ecs", "split", "unknown"]
    drift: list[str]
    cautions: list[str]
    observed_at: datetime | None
    data_age_seconds: float | None
    active_operation: int | None


class ConfigurationShown(Schema):
    slug: str
    toml: str


class ChangeShown(Schema):
    what: str
    before: str
    after: str


class RuleShown(Schema):
    """`sentence` says why the rule fails, empty where it passes."""

    rule: str
    passes: bool
    overridden: bool
    sentence: str


class StepShown(Schema):
    title: str
    at_seconds: float
    seconds: float
    changes: list[ChangeShown]
    rules: list[RuleShown]


class PlanShown(Schema):
    """What an operation would do, foreseen from the newest snapshot. `outcome` is done, refuse or stop."""

    steps: list[StepShown]
    seconds: float
    outcome: str
    reason: str
    rule: str
    digest: str


class OperationWanted(Taken):
    """`weights` goes with set_weights alone. `digest` is a plan's: where AWS has changed since, it is refused.
    `supersedes` ends the running operation with this id and starts in its place.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"goal": "failover", "reason": "Lambda is at its limit"}]}
    )

    goal: GoalName
    weights: Weights | None = None
    reason: Text
    override: Annotated[list[Key], Field(default_factory=list, max_length=10)]
    digest: Key = ""
    supersedes: Id | None = None


class Entry(Schema):
    at: datetime
    kind: str
    message: str
    detail: dict[str, Any]


class OperationShown(Schema):
    """`seconds` is how long each part took, as far as it was reached."""

    id: int
    application: str
    goal: GoalName
    weights: Split | None
    status: Literal["queued", "running", "waiting", "succeeded", "failed", "cancelled", "superseded"]
    trigger: Literal["automatic", "manual", "api", "drill"]
    requested_by: str | None
    reason: str
    override: list[str]
    headline: str
    detail: str
    rule: str
    error: str
    retry_of: int | None
    supersedes: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds: dict[str, float]


class Probed(Schema):
    sent: int
    failed: int


class Latency(Schema):
    """Milliseconds, of the probes that were answered; null where none was."""

    p50: int | None
    p95: int | None


class ProbeShown(Schema):
    """What users would have seen. `failed` counts the `unanswered` ones too, for which nothing came back in time;
    `by_pool` has lambda, ecs, and unknown for answers that no pool signed; `longest_gap_seconds` is the longest time
    without a good answer in which a probe failed.
    """

    sent: int
    failed: int
    unanswered: int
    by_pool: dict[Literal["lambda", "ecs", "unknown"], Probed]
    longest_gap_seconds: float
    latency_ms: Latency


class OperationWhole(OperationShown):
    """`probe` is null where the application has no probe_url, or nothing was probed."""

    journal: list[Entry]
    probe: ProbeShown | None


class DrillWanted(Taken):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"application": "checkout", "kind": "drill", "reason": "before Black Friday"}]},
    )

    application: Key
    kind: Literal["drill", "rehearsal"] = "drill"
    reason: Text


class DrillShown(Schema):
    """`outcome` is null until it is known. `seconds` is what was measured, by part; `recovery` is the whole way to
    where ECS answers. `operations` are those of the way there and of the way back.
    """

    id: int
    application: str
    kind: Literal["drill", "rehearsal"]
    state: Literal["asked", "forward", "staying", "back", "ended", "not_started"]
    outcome: Literal["succeeded", "failed", "interrupted", "not_enough_capacity"] | None
    told: str
    rule: str
    remedy: str
    requested_by: str | None
    reason: str
    due_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    target_seconds: float | None
    stay_seconds: float
    seconds: dict[str, float]
    operations: list[int]


class Reason(Taken):
    reason: Text


class Comment(Taken):
    comment: Text


class HoldWanted(Taken):
    reason: Text
    minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)]


class ModeWanted(Taken):
    mode: Mode
    reason: Text


class KillSwitchWanted(Taken):
    on: StrictBool
    reason: Text


class KillSwitchShown(Schema):
    """`by`, `reason` and `at` are of the last change; null where there was none."""

    on: bool
    by: str | None
    reason: str | None
    at: datetime | None


class AcknowledgementShown(Schema):
    operation: int
    by: str
    comment: str
    at: datetime


class EventShown(Schema):
    id: int
    event_id: str
    detail_type: str
    alarm_name: str
    alarm_state: str
    happened_at: datetime | None
    received_at: datetime
    processed_at: datetime | None
    status: Literal["stored", "processed", "unmatched"]
    outcome: str
    applications: list[str]


class AuditShown(Schema):
    id: int
    at: datetime
    actor: str
    address: str
    action: str
    outcome: Literal["done", "refused", "denied"]
    application: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    request_id: str


class RefusalShown(Schema):
    id: int
    application: str
    goal: GoalName
    rule: str
    reason: str
    remedy: str
    first_at: datetime
    last_at: datetime
    count: int


class Page(Schema, Generic[T]):
    """`next` is the `cursor` of the following page, null at the end."""

    items: list[T]
    next: int | None
