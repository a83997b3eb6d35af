"""One AWS request from its bytes to its answer: which service, which operation, valid input, the call, the reply."""

import re
import uuid
from collections import deque
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, NamedTuple

import botocore.session
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator

from lab.calls import Calls, NoAnswerError
from lab.errors import AwsError
from lab.faults import Faults
from lab.recent import Recent
from lab.wire.messages import Reply, Request
from lab.wire.protocols import JsonProtocol, QueryProtocol, RestJsonProtocol, WireProtocol

# The service's name in a signature's credential scope, and its name in botocore.
SIGNING_NAMES = {
    "ecs": "ecs",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "lambda": "lambda",
    "application-autoscaling": "application-autoscaling",
    "sts": "sts",
    "dynamodb": "dynamodb",
    "events": "events",
    "servicequotas": "service-quotas",
}
# How each service words invalid input.
_INVALID = {
    "ecs": "InvalidParameterException",
    "lambda": "InvalidParameterValueException",
    "application-autoscaling": "ValidationException",
    "dynamodb": "ValidationException",
    "events": "ValidationException",
}
_SCOPE = re.compile(
    r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[a-z0-9-]+)/aws4_request",
)
_READS = ("Describe", "List", "Get", "AssumeRole")
KEPT_WRITES = 10_000
KEPT_ROUND_TRIPS = 2_000


@dataclass(frozen=True)
class Write:
    """One call that changes something."""

    at: float
    service: str
    action: str
    ok: bool


class RoundTrip(NamedTuple):
    """When a call came, and the seconds until its answer left; what the network and the client add is not in it."""

    at: float
    seconds: float


class Asked(NamedTuple):
    """One call; ``refused`` is the error's code, "silent" or "lost" where no answer came, "" where it was answered."""

    service: str
    action: str
    refused: str


@dataclass
class CallLog:
    """What clients asked of AWS: counts by ``service:Action``, every write with its time, and what was asked lately."""

    by_action: dict[str, int] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    recent: Recent[Asked] = field(default_factory=Recent)
    round_trips: deque[RoundTrip] = field(default_factory=lambda: deque(maxlen=KEPT_ROUND_TRIPS))

    @property
    def total(self) -> int:
        return sum(self.by_action.values())

    def add(self, asked: Asked, at: float) -> None:
        name = f"{asked.service}:{asked.action}"
        self.by_action[name] = self.by_action.get(name, 0) + 1
        self.recent.add(asked, at)
        if not asked.action.startswith(_READS):
            self.writes.append(Write(at, asked.service, asked.action, asked.refused in {"", "lost"}))
            del self.writes[:-KEPT_WRITES]


@dataclass(frozen=True)
class Outcome:
    """What becomes of a request: a reply after a delay in seconds, no answer at all, or a connection that closes."""

    reply: Reply | None
    delay: float = 0.0
    without_reply: Literal["", "silent", "lost"] = ""


@dataclass(frozen=True)
class Scope:
    """What a signature says: whose key it is, and for which region and service."""

    key: str
    region: str
    service: str


class Endpoint:
    """Answers the operations named by ``answered``, by botocore's service name."""

    def __init__(self, calls: Calls, answered: Mapping[str, Set[str]], faults: Faults) -> None:
        self.log = CallLog()
        self._calls = calls
        self._answered = answered
        self._faults = faults
        self._models = {name: _model(name) for name in answered}
        self._protocols = {name: _protocol(model) for name, model in self._models.items()}

    def answer(self, request: Request, now: float) -> Outcome:
        request_id = str(uuid.uuid4())
        protocol: WireProtocol = next(iter(self._protocols.values()))
        delay = self._faults.number("api_latency") or 0.0
        try:
            scope = self._scope(request)
            protocol = self._protocols[scope.service]
            return Outcome(self._call(scope, protocol, request, request_id, now), delay)
        except AwsError as error:
            return Outcome(protocol.refuse(error, request_id), delay)
        except RecursionError:
            too_deep = AwsError("SerializationException", "The body is nested too deeply")
            return Outcome(protocol.refuse(too_deep, request_id), delay)
        except NoAnswerError as error:
            return Outcome(None, delay, "lost" if error.took_effect else "silent")

    def _scope(self, request: Request) -> Scope:
        found = _SCOPE.search(request.headers.get("authorization", ""))
        if not found:
            raise AwsError("MissingAuthenticationToken", "The request is not signed (AWS Signature Version 4)", 403)
        service = SIGNING_NAMES.get(found["service"], "")
        if service not in self._answered:
            raise AwsError("UnknownService", f"The lab has no service '{found['service']}'", 404)
        return Scope(found["key"], found["region"], service)

    def _call(self, scope: Scope, protocol: WireProtocol, request: Request, request_id: str, now: float) -> Reply:
        service, name = scope.service, protocol.operation(request)
        if name not in self._answered[service]:
            raise AwsError("UnknownOperationException", f"The lab does not answer {service}:{name or '?'}")
        operation = self._models[service].operation_model(name)
        refused = "InternalFailure"
        try:
            token = request.headers.get("x-amz-security-token", "")
            who = self._calls.admit(service, name, scope.key, token, scope.region, now)
            given = protocol.read(operation, request)
            _validate(service, operation, given)
            output = self._calls.perform(who, scope.region, service, name, given, now)
            refused = ""
        except AwsError as error:
            refused = error.code
            error.status = _status(operation, error)
            raise
        except NoAnswerError as error:
            refused = "lost" if error.took_effect else "silent"
            raise
        finally:
            self.log.add(Asked(service, name, refused), now)
        return protocol.write(operation, output, request_id)


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def _protocol(model: ServiceModel) -> WireProtocol:
    match model.resolved_protocol:
        case "json":
            return JsonProtocol(model)
        case "query":
            return QueryProtocol(model)
        case "rest-json":
            return RestJsonProtocol(model)
    raise ValueError(f"The lab does not speak {model.resolved_protocol} of {model.service_name}.")


def _validate(service: str, operation: OperationModel, given: dict[str, Any]) -> None:
    if operation.input_shape is None:
        return
    report = ParamValidator().validate(given, operation.input_shape)
    if report.has_errors():
        raise AwsError(_INVALID.get(service, "ValidationError"), report.generate_report())


def _status(operation: OperationModel, error: AwsError) -> int:
    """The service model knows best which status belongs to an error's code."""
    for shape in operation.error_shapes:
        described = shape.metadata.get("error", {})
        if error.code in {shape.name, described.get("code")}:
            return int(described.get("httpStatusCode", error.status))
    return error.status
