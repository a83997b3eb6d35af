"""Target group stickiness of a forward action: a client stays with the group that it was sent to first.

Source: Application Load Balancers guide, "Sticky sessions" (target group stickiness; cookie AWSALBTG, 1 second to 7
days). AWS encrypts the cookie; the lab encodes it. Two things are assumed because AWS does not say: the cookie holds
although the group's weight has become 0, and it is not renewed before it ends. A group that the action no longer names,
or that has no target, is chosen anew.
"""

import base64
import binascii
import json
from http.cookies import CookieError, SimpleCookie
from typing import Any

COOKIE = "AWSALBTG"


def remembered(cookies: str, forward: dict[str, Any], now: float) -> str | None:
    """The ARN of the group that the request's ``Cookie`` header names and that the forward action still has."""
    if not _seconds(forward):
        return None
    known = {group["TargetGroupArn"] for group in forward["ForwardConfig"]["TargetGroups"]}
    try:
        value = SimpleCookie(cookies)[COOKIE].value
        held = json.loads(base64.urlsafe_b64decode(value))
        arn, until = str(held["group"]), float(held["until"])
    except (CookieError, KeyError, TypeError, ValueError, binascii.Error):
        return None
    return arn if arn in known and now < until else None


def issued(group_arn: str, forward: dict[str, Any], now: float) -> str:
    """The ``Set-Cookie`` value for a client that was sent to this group; empty without stickiness."""
    seconds = _seconds(forward)
    if not seconds:
        return ""
    held = json.dumps({"group": group_arn, "until": now + seconds}).encode()
    return f"{COOKIE}={base64.urlsafe_b64encode(held).decode()}; Max-Age={seconds}; Path=/"


def _seconds(forward: dict[str, Any]) -> int:
    config = forward.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {})
    return int(config.get("DurationSeconds", 0)) if config.get("Enabled") else 0
