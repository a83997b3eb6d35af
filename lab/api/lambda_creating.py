"""Lambda: functions as calls create them, and who may invoke them.

Source: Lambda API Reference, ``CreateFunction``, ``AddPermission``.
"""

import json
from typing import Any

from lab.api.lambda_ import get_function_configuration
from lab.errors import AwsError
from lab.members import ALL, refuse_unread
from lab.world import World
from lab.worldfile import FunctionTable

INVALID = "InvalidParameterValueException"
LONGEST_SECONDS = 900
INVOKE = "lambda:InvokeFunction"
_FUNCTION = {
    "FunctionName": ALL, "Role": ALL, "Runtime": ALL, "Handler": ALL, "PackageType": ALL, "MemorySize": ALL,
    "Timeout": ALL, "Architectures": ALL, "Environment": {"Variables": ALL}, "Tags": ALL,
    "Code": {"S3Bucket": ALL, "S3Key": ALL, "ImageUri": ALL},
}  # fmt: skip
_PERMISSION = {"FunctionName": ALL, "StatementId": ALL, "Action": ALL, "Principal": ALL, "SourceArn": ALL}


def create_function(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    """Whatever its code is said to be, the function runs the lab's sample API."""
    refuse_unread(given, _FUNCTION, INVALID)
    name = given["FunctionName"]
    if name in world.functions.by_name:
        raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
    _check_code(given)
    timeout = given.get("Timeout", 3)
    if not 1 <= timeout <= LONGEST_SECONDS:
        raise AwsError(INVALID, f"Timeout must be 1 to {LONGEST_SECONDS}")
    table = FunctionTable(
        timeout_seconds=timeout,
        warm_environments=0,
        environment=given.get("Environment", {}).get("Variables", {}),
        tags=given.get("Tags", {}),
    )
    world.builder.function(name, table)
    return get_function_configuration(world, {"FunctionName": name}, now)


def _check_code(given: dict[str, Any]) -> None:
    code = given["Code"]
    if given.get("PackageType", "Zip") == "Image":
        if not code.get("ImageUri") or "Handler" in given or "Runtime" in given:
            raise AwsError(INVALID, "An image needs Code.ImageUri, and neither Handler nor Runtime")
    elif not (code.get("S3Bucket") and code.get("S3Key") and given.get("Handler") and given.get("Runtime")):
        raise AwsError(INVALID, "A zip package needs Code.S3Bucket, Code.S3Key, Handler and Runtime")


def add_permission(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """Of services that invoke the function for a resource of theirs; its ARN may have wildcards."""
    refuse_unread(given, _PERMISSION, INVALID)
    function = world.functions.find(given["FunctionName"])
    if given["Action"] != INVOKE:
        raise AwsError(INVALID, f"The lab knows {INVOKE} alone")
    function.invokers.add((given["Principal"], given.get("SourceArn", "")))
    statement = {"Sid": given["StatementId"], "Effect": "Allow", "Principal": {"Service": given["Principal"]}}
    return {"Statement": json.dumps({**statement, "Action": INVOKE, "Resource": function.settings.arn})}


OPERATIONS = {"CreateFunction": create_function, "AddPermission": add_permission}
