"""botocore's many errors as the few that a caller can act on.

Source: each service's API reference, "Common errors" and the operations' errors; botocore.exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from failover.aws import denials
from failover.ports import AwsError

_DENIED = frozenset({
    "AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation", "AuthorizationError",
    "OptInRequired",
})  # fmt: skip
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
_UNKNOWN_KEYS = frozenset({
    "AuthFailure", "IncompleteSignature", "IncompleteSignatureException", "InvalidAccessKeyId", "InvalidClientTokenId",
    "InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "RequestExpired",
    "SignatureDoesNotMatch", "UnrecognizedClientException",
})  # fmt: skip
THROTTLED = frozenset({
    "BandwidthLimitExceeded", "ConcurrentUpdateException", "EC2ThrottledException", "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException", "RateExceeded", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
    "TooManyRequestsException", "TransactionInProgressException",
})  # fmt: skip
_MISSING = frozenset({"ResourceNotFound", "ServiceNotActiveException", "ObjectNotFoundException"})
_CHANGED = frozenset({"ConditionalCheckFailedException"})
_NOT_CONNECTED = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    SSOError,
    ProfileNotFound,
)
# What is raised over an answer that AWS never gave: a proxy's page, or JSON without the members that a call answers.
_NOT_FROM_AWS = (ResponseParserError, LookupError, TypeError, AttributeError, ValueError)
FAILURES = (ClientError, BotoCoreError, *_NOT_FROM_AWS)
AGAIN = "It is read again before anything else."
NETWORK = "Check network, proxy and AWS_ENDPOINT_URL."
MOST_SAID = 200  # characters; a parser's error has the whole page in it


@contextmanager
def translated(action: str, resource: str) -> Iterator[None]:
    """Raises AwsError for whatever a call, or reading what it answered, fails with."""
    try:
        yield
    except FAILURES as error:
        raise translate(error, action, resource) from error


def refuse_page(**given: Any) -> None:
    """For botocore's `after-call`: its JSON parsers take a proxy's page for an answer that has no members."""
    answer = given["http_response"]
    if answer.status_code < 400 and "html" in answer.headers.get("content-type", "").lower():
        raise ResponseParserError("an HTML page")


def translate(error: Exception, action: str, resource: str) -> AwsError:
    """`error` is one of FAILURES. `action` as IAM names it (`ecs:UpdateService`); `resource` is what it was about."""
    if isinstance(error, ClientError):
        return _answered(error, action, resource)
    if isinstance(error, _NO_CREDENTIALS):
        remedy = "Give the process a role, a profile or keys that work."
        return AwsError("denied", f"{action}: no AWS credentials could be had ({error}).", remedy)
    if isinstance(error, _NOT_CONNECTED) or _untrusted(error):
        return AwsError("unreachable", f"{action}: AWS can't be reached ({error}).", _network(error))
    if isinstance(error, (ParamValidationError, NoRegionError)):
        return AwsError("invalid", f"{action} on {resource}: {error}", "Correct the application's configuration.")
    if isinstance(error, BotoCoreError):
        return AwsError("unanswered", f"{action}: no usable answer ({error}).", AGAIN)
    said = f"{type(error).__name__}: {error}".splitlines()[0][:MOST_SAID]
    return AwsError("unanswered", f"{action}: no usable answer ({said}).", f"{AGAIN} {NETWORK}")


def _untrusted(error: Exception) -> bool:
    """A certificate is refused before anything is sent; other TLS errors may come after a request."""
    return isinstance(error, SSLError) and "certificate" in str(error).lower()


def _network(error: Exception) -> str:
    if _untrusted(error):
        return "Check the certificates that this machine trusts, and what stands between it and AWS."
    return NETWORK


def _answered(error: ClientError, action: str, resource: str) -> AwsError:
    said = error.response.get("Error", {})
    code, text = said.get("Code", ""), said.get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind, remedy = _judged(code, text, status, action, resource)
    return AwsError(kind, f"{action} on {resource}: {code}: {text}", remedy)


def _judged(code: str, text: str, status: int, action: str, resource: str) -> tuple[str, str]:
    if code in THROTTLED:
        return "throttled", "It is tried again; other users of the account share the limit."
    if code in _EXPIRED:
        return "denied", "The credentials have expired: renew the session or the keys that this process uses."
    if code in _UNKNOWN_KEYS:
        return "denied", _keys(text)
    if code in _DENIED or "not authorized to perform" in text:
        return "denied", denials.read(text, action, resource).remedy
    if code in _CHANGED:
        return "changed", AGAIN
    if code in _MISSING or code.endswith(("NotFound", "NotFoundException")):
        return "missing", f"Check that {resource} exists in this account and region."
    if status >= 500:
        return "unanswered", AGAIN
    return "invalid", "Correct the application's configuration."


def _keys(text: str) -> str:
    if "expired" in text or "earlier than" in text or "yet current" in text:
        return "The request's signature is out of date: correct this machine's clock."
    return "AWS does not know these credentials: check the keys, their account and the region."
