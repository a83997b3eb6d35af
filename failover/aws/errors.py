"""botocore's many errors as the few that a caller can act on."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
)

from failover.ports import AwsError

_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "NotAuthorized",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
}
_THROTTLED = {
    "RateExceeded",
    "RequestLimitExceeded",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}


def translate(error: ClientError | BotoCoreError, action: str, resource: str) -> AwsError:
    """`action` as IAM names it (`ecs:UpdateService`)."""
    if isinstance(error, ClientError):
        return _answered(error, action, resource)
    if isinstance(error, NoCredentialsError):
        return AwsError("denied", "No AWS credentials were found.", "Give the process a role, a profile or keys.")
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError)):
        return AwsError(
            "unreachable", f"{action}: AWS can't be reached ({error}).", "Check network and AWS_ENDPOINT_URL."
        )
    return AwsError("unanswered", f"{action}: no usable answer ({error}).", "It is read again before anything else.")


def _answered(error: ClientError, action: str, resource: str) -> AwsError:
    code = error.response.get("Error", {}).get("Code", "")
    message = f"{action} on {resource}: {code}: {error.response.get('Error', {}).get('Message', '')}"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _DENIED:
        return AwsError("denied", message, f"Grant {action} on {resource} to the role that the controller uses.")
    if code in _THROTTLED:
        return AwsError("throttled", message, "It is tried again; other users of the account share the limit.")
    if code.endswith(("NotFound", "NotFoundException")):
        return AwsError("missing", message, f"Check that {resource} exists in this account and region.")
    if status >= 500:
        return AwsError("unanswered", message, "It is read again before anything else.")
    return AwsError("invalid", message, "Correct the application's configuration.")
