"""How each service words that a caller is unknown, not allowed, too fast, or that the service is down.

Sources: each service's API Reference, "Common Errors"; IAM User Guide, "Troubleshoot access denied error messages";
ECS API Reference, "Request throttling for the Amazon ECS API"; Elastic Load Balancing User Guide, "Request throttling
for the Elastic Load Balancing API"; Lambda API Reference, ``TooManyRequestsException``; AWS re:Post, "How do I resolve
API throttling errors for IAM and AWS STS" (``Throttling``). Services that speak JSON answer 400 where those that speak
queries or REST answer 403.
"""

from dataclasses import dataclass

from lab.errors import AwsError


@dataclass(frozen=True)
class Words:
    """The error codes of one service and the status of what concerns the caller."""

    status: int = 400
    denied: str = "AccessDeniedException"
    unknown: str = "UnrecognizedClientException"
    expired: str = "ExpiredTokenException"
    throttled: str = "ThrottlingException"
    throttled_status: int = 400


_QUERY = Words(403, "AccessDenied", "InvalidClientTokenId", "ExpiredToken")
_WORDS = {
    "ecs": Words(),
    "application-autoscaling": Words(),
    "dynamodb": Words(),
    "events": Words(),
    "service-quotas": Words(),
    "elbv2": _QUERY,
    "cloudwatch": _QUERY,
    "sts": Words(403, "AccessDenied", "InvalidClientTokenId", "ExpiredToken", "Throttling"),
    "lambda": Words(403, throttled="TooManyRequestsException", throttled_status=429),
}


def denied(service: str, message: str) -> AwsError:
    return AwsError(_WORDS[service].denied, message, _WORDS[service].status)


def unknown_key(service: str) -> AwsError:
    words = _WORDS[service]
    return AwsError(words.unknown, "The security token included in the request is invalid.", words.status)


def expired(service: str) -> AwsError:
    words = _WORDS[service]
    return AwsError(words.expired, "The security token included in the request is expired", words.status)


def throttled(service: str) -> AwsError:
    return AwsError(_WORDS[service].throttled, "Rate exceeded", _WORDS[service].throttled_status)


def unavailable() -> AwsError:
    return AwsError("ServiceUnavailable", "The request has failed due to a temporary failure of the server.", 503)


THROTTLED_CODES = frozenset(words.throttled for words in _WORDS.values())
