"""The protocols that boto3 speaks: JSON 1.0/1.1, query with XML answers, and REST with JSON.

Each class finds the operation and its input in a request, and writes an output or an error. CloudWatch's model lists
several protocols; botocore 1.44 picks JSON 1.0 in "query mode", where the error code travels in a header as well.
"""

import json
import re
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree as ET

from botocore.model import OperationModel, ServiceModel

from lab.errors import AwsError
from lab.wire.messages import Reply, Request, json_object
from lab.wire.shapes import from_flat, to_json, to_xml


class WireProtocol(Protocol):
    """How one service reads requests and writes answers."""

    def operation(self, request: Request) -> str:
        """The operation's name, not yet checked."""

    def read(self, operation: OperationModel, request: Request) -> dict[str, Any]: ...

    def write(self, operation: OperationModel, output: dict[str, Any], request_id: str) -> Reply: ...

    def refuse(self, error: AwsError, request_id: str) -> Reply: ...


class JsonProtocol:
    """JSON 1.0 and 1.1: the operation is in X-Amz-Target."""

    def __init__(self, service: ServiceModel) -> None:
        self._content_type = f"application/x-amz-json-{service.metadata['jsonVersion']}"
        self._query_errors = "awsQueryCompatible" in service.metadata

    def operation(self, request: Request) -> str:
        return request.headers.get("x-amz-target", "").rpartition(".")[2]

    def read(self, operation: OperationModel, request: Request) -> dict[str, Any]:  # noqa: ARG002 - other protocols need the operation
        return json_object(request.body)

    def write(self, operation: OperationModel, output: dict[str, Any], request_id: str) -> Reply:
        shape = operation.output_shape
        body = json.dumps(to_json(shape, output) if shape else {}).encode()
        return Reply(200, body, {"Content-Type": self._content_type, "x-amzn-RequestId": request_id})

    def refuse(self, error: AwsError, request_id: str) -> Reply:
        headers = {"Content-Type": self._content_type, "x-amzn-RequestId": request_id}
        if self._query_errors:
            headers["x-amzn-query-error"] = f"{error.code};{_fault(error)}"
        body = {"__type": error.code, "message": error.message, **error.members}
        return Reply(error.status, json.dumps(body).encode(), headers)


class QueryProtocol:
    """A form with Action and Version; answers in XML."""

    def __init__(self, service: ServiceModel) -> None:
        self._namespace = service.metadata["xmlNamespace"]

    def operation(self, request: Request) -> str:
        return dict(_form(request)).get("Action", "")

    def read(self, operation: OperationModel, request: Request) -> dict[str, Any]:
        flat = {name: value for name, value in _form(request) if name not in {"Action", "Version"}}
        try:
            return from_flat(operation.input_shape, flat) if operation.input_shape else flat
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise AwsError("MalformedQueryString", f"The parameters do not fit {operation.name}: {error}") from error

    def write(self, operation: OperationModel, output: dict[str, Any], request_id: str) -> Reply:
        root = ET.Element(f"{operation.name}Response", xmlns=self._namespace)
        shape = operation.output_shape
        if shape:
            to_xml(shape, output, root, shape.serialization["resultWrapper"])
        metadata = ET.SubElement(root, "ResponseMetadata")
        ET.SubElement(metadata, "RequestId").text = request_id
        return self._reply(200, root, request_id)

    def refuse(self, error: AwsError, request_id: str) -> Reply:
        root = ET.Element("ErrorResponse", xmlns=self._namespace)
        details = ET.SubElement(root, "Error")
        for name, text in (("Type", _fault(error)), ("Code", error.code), ("Message", error.message)):
            ET.SubElement(details, name).text = text
        ET.SubElement(root, "RequestId").text = request_id
        return self._reply(error.status, root, request_id)

    def _reply(self, status: int, root: ET.Element, request_id: str) -> Reply:
        return Reply(status, ET.tostring(root), {"Content-Type": "text/xml", "x-amzn-RequestId": request_id})


class RestJsonProtocol:
    """REST paths with JSON bodies: the operation is found by method and path."""

    def __init__(self, service: ServiceModel) -> None:
        models = [service.operation_model(name) for name in service.operation_names]
        self._routes = [(m.http["method"], _pattern(m.http["requestUri"]), m.name) for m in models]

    def operation(self, request: Request) -> str:
        for method, pattern, name in self._routes:
            if method == request.method and pattern.fullmatch(request.path):
                return name
        return ""

    def read(self, operation: OperationModel, request: Request) -> dict[str, Any]:
        found = _pattern(operation.http["requestUri"]).fullmatch(request.path)
        in_path = {name: unquote(value) for name, value in found.groupdict().items()} if found else {}
        return {**in_path, **request.query, **json_object(request.body)}

    def write(self, operation: OperationModel, output: dict[str, Any], request_id: str) -> Reply:
        shape = operation.output_shape
        body = json.dumps(to_json(shape, output) if shape else {}).encode()
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
        return Reply(operation.http.get("responseCode", 200), body, headers)

    def refuse(self, error: AwsError, request_id: str) -> Reply:
        headers = {
            "Content-Type": "application/json",
            "x-amzn-RequestId": request_id,
            "x-amzn-ErrorType": error.code,
        }
        body = {"Type": "User" if error.status < 500 else "Service", "Message": error.message}
        return Reply(error.status, json.dumps(body).encode(), headers)


def _form(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)


def _pattern(uri: str) -> re.Pattern[str]:
    """``/2015-03-31/functions/{FunctionName}`` as an expression with named groups."""
    path = uri.partition("?")[0]
    return re.compile(re.sub(r"\{(\w+)\+?\}", r"(?P<\1>[^/]+)", path) + "/?")


def _fault(error: AwsError) -> str:
    return "Sender" if error.status < 500 else "Receiver"
