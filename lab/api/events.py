"""EventBridge: rules of the default bus, and the API destinations that they deliver to.

Source: EventBridge API Reference, ``PutRule``, ``PutTargets``, ``CreateConnection``, ``CreateApiDestination``.
"""

from dataclasses import replace
from typing import Any

from lab.errors import AwsError
from lab.event_patterns import PatternError, read
from lab.event_rules import DAY_SECONDS, MOST_RETRIES, RetryPolicy, Rule
from lab.eventbridge import MOST_A_SECOND, Destination
from lab.members import ALL, refuse_unread
from lab.names import identifier
from lab.world import World

INVALID = "ValidationException"
_RULE = {"Name": ALL, "EventPattern": ALL, "State": ALL, "Description": ALL}
_TARGET = {
    "Id": ALL, "Arn": ALL, "RoleArn": ALL, "DeadLetterConfig": {"Arn": ALL},
    "RetryPolicy": {"MaximumRetryAttempts": ALL, "MaximumEventAgeInSeconds": ALL},
}  # fmt: skip
_CONNECTION = {
    "Name": ALL, "Description": ALL, "AuthorizationType": ALL,
    "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": ALL, "ApiKeyValue": ALL}},
}  # fmt: skip
_DESTINATION = {
    "Name": ALL, "Description": ALL, "ConnectionArn": ALL, "InvocationEndpoint": ALL, "HttpMethod": ALL,
    "InvocationRateLimitPerSecond": ALL,
}  # fmt: skip


def put_rule(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """A rule without a target delivers to the lab's destination, where it has one, as those of its world file do."""
    refuse_unread(given, _RULE, INVALID)
    if given.get("State", "ENABLED") != "ENABLED" or "EventPattern" not in given:
        raise AwsError(INVALID, "The lab's rules are enabled and have an event pattern")
    try:
        pattern = read(given["EventPattern"])
    except PatternError as error:
        raise AwsError("InvalidEventPatternException", str(error)) from error
    arn = world.arn("events", f"rule/{given['Name']}")
    _store(world, Rule(given["Name"], arn, pattern))
    return {"RuleArn": arn}


def put_targets(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """One target a rule: an API destination, which needs a role, since EventBridge invokes it in the account's name."""
    refuse_unread(given, {"Rule": ALL, "Targets": _TARGET}, INVALID)
    found = next((each for each in world.bus.rules if each.name == given["Rule"]), None)
    if found is None:
        raise AwsError("ResourceNotFoundException", f"Rule {given['Rule']} does not exist on EventBus default.")
    if len(given["Targets"]) != 1:
        raise AwsError(INVALID, "The lab's rules have one target")
    target = given["Targets"][0]
    if target["Arn"] not in world.api_destinations:
        raise AwsError(INVALID, f"The lab delivers to API destinations alone, and {target['Arn']} is none of them")
    if not target.get("RoleArn"):
        raise AwsError(INVALID, "RoleArn is required for target API destination")
    _store(
        world,
        replace(
            found,
            retry=_retry(target.get("RetryPolicy", {})),
            dead_letter_queue=bool(target.get("DeadLetterConfig", {}).get("Arn")),
            destination=world.api_destinations[target["Arn"]],
        ),
    )
    return {"FailedEntryCount": 0, "FailedEntries": []}


def _retry(policy: dict[str, Any]) -> RetryPolicy:
    retries, age = policy.get("MaximumRetryAttempts", MOST_RETRIES), policy.get("MaximumEventAgeInSeconds", DAY_SECONDS)
    if not 0 <= retries <= MOST_RETRIES or not 60 <= age <= DAY_SECONDS:
        raise AwsError(
            INVALID, f"A retry policy has 0 to {MOST_RETRIES} attempts within 60 to {DAY_SECONDS:.0f} seconds"
        )
    return RetryPolicy(retries, age)


def _store(world: World, rule: Rule) -> None:
    world.bus.rules = [*(each for each in world.bus.rules if each.name != rule.name), rule]


def create_connection(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    refuse_unread(given, _CONNECTION, INVALID)
    if given["AuthorizationType"] != "API_KEY":
        raise AwsError(INVALID, "The lab's connections have an API key")
    arn = world.arn("events", f"connection/{given['Name']}/{identifier(given['Name'])}")
    if arn in world.connections:
        raise AwsError("ResourceAlreadyExistsException", f"Connection {given['Name']} already exists.")
    key = given["AuthParameters"]["ApiKeyAuthParameters"]
    world.connections[arn] = key["ApiKeyName"], key["ApiKeyValue"]
    return {"ConnectionArn": arn, "ConnectionState": "AUTHORIZED", "CreationTime": now, "LastModifiedTime": now}


def create_api_destination(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    refuse_unread(given, _DESTINATION, INVALID)
    if given["ConnectionArn"] not in world.connections:
        raise AwsError("ResourceNotFoundException", f"Connection {given['ConnectionArn']} does not exist.")
    if given["HttpMethod"] != "POST" or not given["InvocationEndpoint"].startswith("https://"):
        raise AwsError(INVALID, "The lab's API destinations are sent POST, and by https as on AWS")
    if given.get("InvocationRateLimitPerSecond", MOST_A_SECOND) != MOST_A_SECOND:
        raise AwsError(INVALID, f"The lab invokes {MOST_A_SECOND} times a second at the most, as AWS does by default")
    arn = world.arn("events", f"api-destination/{given['Name']}/{identifier(given['Name'])}")
    header, key = world.connections[given["ConnectionArn"]]
    world.api_destinations[arn] = Destination(given["InvocationEndpoint"], header, key)
    return {"ApiDestinationArn": arn, "ApiDestinationState": "ACTIVE", "CreationTime": now, "LastModifiedTime": now}


OPERATIONS = {
    "PutRule": put_rule,
    "PutTargets": put_targets,
    "CreateConnection": create_connection,
    "CreateApiDestination": create_api_destination,
}
