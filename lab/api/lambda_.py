"""Lambda: configuration and concurrency."""

from base64 import b64encode
from hashlib import sha256
from typing import Any

from lab.lambda_ import Function, FunctionSettings
from lab.world import World


def get_function_concurrency(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    return {"ReservedConcurrentExecutions": world.functions.find(given["FunctionName"]).reserved}


def put_function_concurrency(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    function = world.functions.find(given["FunctionName"])
    world.functions.reserve(function, given["ReservedConcurrentExecutions"])
    return {"ReservedConcurrentExecutions": function.reserved}


def get_function(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    function = world.functions.find(given["FunctionName"])
    reserved = function.reserved
    return {
        "Configuration": get_function_configuration(world, given, now),
        "Code": {"RepositoryType": "S3", "Location": f"https://lambda-code.invalid/{function.settings.name}.zip"},
        "Tags": dict(function.settings.tags),
        "Concurrency": None if reserved is None else {"ReservedConcurrentExecutions": reserved},
    }


def get_function_configuration(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    settings = world.functions.find(given["FunctionName"]).settings
    return {
        "FunctionName": settings.name,
        "FunctionArn": settings.arn,
        "Runtime": "python3.11",
        "Handler": "api_service.lambda_handler.handler",
        "Timeout": int(settings.timeout),
        "MemorySize": 128,
        "Version": "$LATEST",
        "CodeSha256": _code_sha256(settings),
        "Environment": {"Variables": dict(settings.variables)},
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }


def _code_sha256(settings: FunctionSettings) -> str:
    """Made up, the same in every lab: the lab runs its own sources, and there is no package."""
    return b64encode(sha256(settings.name.encode()).digest()).decode()


def get_account_settings(world: World, _given: dict[str, Any], _now: float) -> dict[str, Any]:
    functions: list[Function] = list(world.functions.by_name.values())
    return {
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": world.functions.account_limit,
            "UnreservedConcurrentExecutions": world.functions.unreserved,
        },
        "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": len(functions)},
    }


OPERATIONS = {
    "GetFunction": get_function,
    "GetFunctionConcurrency": get_function_concurrency,
    "PutFunctionConcurrency": put_function_concurrency,
    "GetFunctionConfiguration": get_function_configuration,
    "GetAccountSettings": get_account_settings,
}
