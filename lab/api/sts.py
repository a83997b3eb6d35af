"""STS: who a client is, and sessions of roles."""

from typing import Any

from lab.iam import SESSION_SECONDS, Access, Identity


def get_caller_identity(_access: Access, who: Identity, _given: dict[str, Any], _now: float) -> dict[str, Any]:
    return {"UserId": who.user_id, "Account": who.account, "Arn": who.arn}


def assume_role(access: Access, who: Identity, given: dict[str, Any], now: float) -> dict[str, Any]:
    seconds = given.get("DurationSeconds", SESSION_SECONDS)
    session = access.assume(who, given["RoleArn"], given["RoleSessionName"], seconds, given.get("ExternalId"), now)
    return {
        "Credentials": {
            "AccessKeyId": session.key,
            "SecretAccessKey": session.secret,
            "SessionToken": session.identity.token,
            "Expiration": session.identity.ends,
        },
        "AssumedRoleUser": {"AssumedRoleId": session.identity.user_id, "Arn": session.identity.arn},
    }


OPERATIONS = {"GetCallerIdentity": get_caller_identity, "AssumeRole": assume_role}
