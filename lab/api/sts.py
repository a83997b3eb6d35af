"""STS: who a client is. The lab lets everybody in."""

from typing import Any

from lab.world import World

SESSION_SECONDS = 3600


def get_caller_identity(world: World, _given: dict[str, Any], _now: float) -> dict[str, Any]:
    return {
        "UserId": "AIDALABLABLABLABLABLA",
        "Account": world.account,
        "Arn": f"arn:aws:iam::{world.account}:user/lab",
    }


def assume_role(_world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    role, session = given["RoleArn"], given["RoleSessionName"]
    arn = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
    return {
        "Credentials": {
            "AccessKeyId": "ASIALABLABLABLABLABL",
            "SecretAccessKey": "lab",
            "SessionToken": "lab",
            "Expiration": now + given.get("DurationSeconds", SESSION_SECONDS),
        },
        "AssumedRoleUser": {"AssumedRoleId": f"AROALABLABLABLABLABLA:{session}", "Arn": f"{arn}/{session}"},
    }


OPERATIONS = {"GetCallerIdentity": get_caller_identity, "AssumeRole": assume_role}
