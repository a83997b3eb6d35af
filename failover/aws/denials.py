"""What AWS says when it denies a call: who may not do what, on what, and by which kind of policy.

Source: IAM user guide, "Troubleshoot access denied error messages": "User: PRINCIPAL is not authorized to perform:
ACTION on resource: RESOURCE because no TYPE policy allows the ACTION action", or "… with an explicit deny in a TYPE
policy". Older services leave out the resource or the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DENIED = re.compile(
    r"(?:User: )?(?P<principal>arn:\S+) is not authorized to perform: (?P<action>[\w-]+:\w+)"
    r"(?: on resource: (?P<resource>\S+))?"
    r"(?:.*?explicit deny in (?:an? )?(?P<explicit>[\w -]+? policy|[\w -]+? boundary))?",
    re.DOTALL,
)
_ASSUMED = re.compile(r"(?P<prefix>arn:[\w-]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/\S+")


@dataclass(frozen=True)
class Denial:
    """`who` is a role or user as a policy names it; `explicit` is the kind of policy that forbids it, or empty."""

    who: str
    action: str
    resource: str
    explicit: str

    @property
    def remedy(self) -> str:
        if self.explicit:
            return f"The {self.explicit} forbids {self.action} on {self.resource} to {self.who}: have that deny lifted."
        return f"Grant {self.action} on {self.resource} to {self.who}."


def read(message: str, action: str, resource: str) -> Denial:
    """`action` and `resource` are what was asked for; they stand in for what the message does not say."""
    found = _DENIED.search(message)
    if found is None:
        return Denial("the role that the controller uses", action, resource, "")
    named = (found["resource"] or resource).strip(",.;\"'")
    return Denial(_who(found["principal"]), found["action"], named or resource, found["explicit"] or "")


def _who(principal: str) -> str:
    """An assumed role's session is no principal that a policy is attached to: its role is."""
    session = _ASSUMED.fullmatch(principal)
    return f"{session['prefix']}:iam::{session['account']}:role/{session['role']}" if session else principal
