"""One AWS request from its bytes to its answer: which service, which operation, valid input, the call, the reply."""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator

from lab.errors import AwsError
from lab.wire.messages import Reply, Request
from lab.wire.protocols import JsonProtocol, QueryProtocol, RestJsonProtocol, WireProtocol

Operation = Callable[[dict[str, Any], float], dict[str, Any]]

# The service's name in a signature's credential scope, and its name in botocore.
SIGNING_NAMES = {
    "ecs": "ecs",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "lambda": "lambda",
    "application-autoscaling": "application-autoscaling",
    "sts": "sts",
}
# How each service words invalid input.
_INVALID = {
    "ecs": "InvalidParameterException",
    "lambda": "InvalidParameterValueException",
    "application-autoscaling": "ValidationException",
}
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([a-z0-9-]+)/aws4_request")
_READS = ("Describe", "List", "Get", "AssumeRole")
KEPT_WRITES = 10_000


@dataclass(frozen=True)
class Write:
    """One call that changes something."""

    at: float
    service: str
    action: str
    ok: bool


@dataclass
class CallLog:
    """What clients asked of AWS: counts by ``service:Action``, and every write with its time."""

    by_action: dict[str, int] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.by_action.values())

    def add(self, service: str, action: str, at: float, *, ok: bool) -> None:
        name = f"{service}:{action}"
        self.by_action[name] = self.by_action.get(name, 0) + 1
        if not action.startswith(_READS):
            self.writes.append(Write(at, service, action, ok))
            del self.writes[:-KEPT_WRITES]


class Endpoint:
    """``operations`` are the calls that the lab answers, by botocore's service name and the operation's name."""

    def __init__(self, operations: Mapping[str, Mapping[str, Operation]]) -> None:
        self.log = CallLog()
        self._operations = operations
        session = botocore.session.get_session()
        self._models = {name: session.get_service_model(name) for name in operations}
        self._protocols = {name: _protocol(model) for name, model in self._models.items()}

    def answer(self, request: Request, now: float) -> Reply:
        request_id = str(uuid.uuid4())
        protocol: WireProtocol = next(iter(self._protocols.values()))
        try:
            service = self._service(request)
            protocol = self._protocols[service]
            return self._call(service, protocol, request, request_id, now)
        except AwsError as error:
            return protocol.refuse(error, request_id)

    def _service(self, request: Request) -> str:
        scope = _SCOPE.search(request.headers.get("authorization", ""))
        if not scope:
            raise AwsError("MissingAuthenticationToken", "The request is not signed (AWS Signature Version 4)", 403)
        service = SIGNING_NAMES.get(scope[1], "")
        if service not in self._operations:
            raise AwsError("UnknownService", f"The lab has no service '{scope[1]}'", 404)
        return service

    def _call(self, service: str, protocol: WireProtocol, request: Request, request_id: str, now: float) -> Reply:
        name = protocol.operation(request)
        call = self._operations[service].get(name)
        if call is None:
            raise AwsError("UnknownOperationException", f"The lab does not answer {service}:{name or '?'}")
        operation = self._models[service].operation_model(name)
        ok = False
        try:
            given = protocol.read(operation, request)
            _validate(service, operation, given)
            reply = protocol.write(operation, call(given, now), request_id)
            ok = True
        except AwsError as error:
            error.status = _status(operation, error)
            raise
        finally:
            self.log.add(service, name, now, ok=ok)
        return reply


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
