"""What boto3 is to the controller, in virtual time: clients whose calls go straight to the lab's model.

The lab's own tests show that model and wire agree; here a call must cost microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import uuid4

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from failover.aws.clients import Clients
from lab import api
from lab.calls import NoAnswerError
from lab.errors import AwsError
from lab.virtual import VirtualLab

READ_ATTEMPTS = 4  # as the controller's clients are configured
RETRIED = frozenset({"ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException"})

_OPERATIONS = {service: {xform_name(name): name for name in names} for service, names in api.answered().items()}
_PAGES: dict[tuple[str, str], tuple[str, str]] = {}


class Watch(Protocol):
    """Told of every call before it is made (what it raises takes the call's place), and of every answer and refusal."""

    def before(self, operation: str, given: dict[str, Any]) -> None: ...

    def after(self, operation: str, given: dict[str, Any], output: dict[str, Any]) -> None: ...

    def refused(self, operation: str) -> None: ...


class Unwatched:
    """Nobody looks at the calls."""

    def before(self, operation: str, given: dict[str, Any]) -> None: ...

    def after(self, operation: str, given: dict[str, Any], output: dict[str, Any]) -> None: ...

    def refused(self, operation: str) -> None: ...


class Moment(float):
    """A time of the model where boto3 would give a datetime."""

    def timestamp(self) -> float:
        return float(self)

    def __sub__(self, other: float) -> timedelta:  # type: ignore[override]
        return timedelta(seconds=float(self) - float(other))


@dataclass(frozen=True)
class Client:
    """One service's client. Reads are tried again as botocore does, without waiting; writes are sent once."""

    lab: VirtualLab
    service: str
    watch: Watch
    region: str
    attempts: int = 1

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        try:
            operation = _OPERATIONS[self.service][name]
        except KeyError:
            raise AttributeError(name) from None
        return lambda **given: self._try(operation, given)

    def get_paginator(self, name: str) -> Paginator:
        return Paginator(self, _OPERATIONS[self.service][name])

    def _try(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        for attempt in range(1, self.attempts + 1):
            try:
                return self._call(operation, given)
            except ClientError as error:
                if attempt == self.attempts or not _is_retried(error):
                    raise
        raise AssertionError("a client tries at least once")

    def _call(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        self.watch.before(operation, given)
        try:
            output = self.lab.call(self.service, operation, region=self.region, **given)
        except AwsError as error:
            self.watch.refused(operation)
            raise _refused(error, operation) from error
        except NoAnswerError as error:
            kind = ConnectionClosedError if error.took_effect else ReadTimeoutError
            raise kind(endpoint_url="https://lab.invalid") from error
        self.watch.after(operation, given, output)
        return _dated(operation, output) | {"ResponseMetadata": {"RequestId": str(uuid4()), "HTTPStatusCode": 200}}


@dataclass(frozen=True)
class Paginator:
    client: Client
    operation: str

    def paginate(self, **given: Any) -> Iterator[dict[str, Any]]:
        """Every page, as botocore's own description of the operation says where the token is."""
        ask, answer = _tokens(self.client.service, self.operation)
        call = getattr(self.client, xform_name(self.operation))
        token: Any = None
        while True:
            page = call(**given, **({ask: token} if token else {}))
            yield page
            token = page.get(answer)
            if not token:
                return


def clients(lab: VirtualLab, region: str, watch: Watch) -> Clients:
    """The clients of one application."""

    def client(service: str, attempts: int) -> Client:
        return Client(lab, service, watch, region, attempts)

    return Clients(
        alarms=client("cloudwatch", READ_ATTEMPTS),
        functions=client("lambda", READ_ATTEMPTS),
        ecs=client("ecs", READ_ATTEMPTS),
        elbv2=client("elbv2", READ_ATTEMPTS),
        scaling=client("application-autoscaling", READ_ATTEMPTS),
        ecs_write=client("ecs", 1),
        elbv2_write=client("elbv2", 1),
        scaling_write=client("application-autoscaling", 1),
    )


def _refused(error: AwsError, operation: str) -> ClientError:
    response: Any = {
        "Error": {"Code": error.code, "Message": error.message},
        "ResponseMetadata": {"HTTPStatusCode": error.status, "RequestId": str(uuid4())},
    }
    return ClientError(response, operation)


def _is_retried(error: ClientError) -> bool:
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return code in RETRIED or status >= 500


def lease_client(lab: VirtualLab, region: str, watch: Watch) -> Client:
    """DynamoDB, each request sent once."""
    return Client(lab, "dynamodb", watch, region)


def _tokens(service: str, operation: str) -> tuple[str, str]:
    key = service, operation
    if key not in _PAGES:
        loader = botocore.session.get_session().get_component("data_loader")
        described = loader.load_service_model(service, "paginators-1")["pagination"][operation]
        _PAGES[key] = described["input_token"], described["output_token"]
    return _PAGES[key]


DATED = frozenset({"DescribeAlarms", "DescribeServices", "DescribeTasks"})


def _dated(operation: str, output: dict[str, Any]) -> dict[str, Any]:
    """Times as boto3 would read them, where the controller looks at them; members without a value are left out."""
    if operation in DATED:
        dated: dict[str, Any] = _with_moments(output)
        return dated
    if operation == "GetMetricData":
        results = [
            {**each, "Timestamps": [Moment(at) for at in each["Timestamps"]]} for each in output["MetricDataResults"]
        ]
        return {"MetricDataResults": results, **({"NextToken": token} if (token := output.get("NextToken")) else {})}
    return {name: value for name, value in output.items() if value is not None}


def _with_moments(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _with_moments(each, key) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_with_moments(each) for each in value]
    return Moment(value) if isinstance(value, float) and name.endswith(("At", "Timestamp")) else value
