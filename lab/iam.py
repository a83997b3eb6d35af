"""Who calls: users and roles of the world file, and the sessions of roles that were assumed.

The access key id of a request says who calls; the lab checks no signature. Sources: STS API Reference, ``AssumeRole``
and ``GetCallerIdentity``; IAM User Guide, "Roles terms and concepts" (role chaining), "How to use an external ID" and
"Cross-account policy evaluation logic".
"""

import hashlib
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lab import refusals
from lab.errors import AwsError
from lab.policy import ADMINISTRATOR, Statement, judge

SESSION_SECONDS = 3600
LONGEST_SESSION_SECONDS = 43_200
LONGEST_CHAINED_SECONDS = 3600
ASSUME = "sts:AssumeRole"
SESSION_KEY = "ASIA"  # how the access keys of sessions begin, and no user's
_ROLE_ARN = re.compile(r"arn:aws:iam::\d+:role/.+")


@dataclass(frozen=True)
class UserTable:
    """``account`` "" is the file's; a user without ``policy`` is an administrator of it."""

    access_key_id: str
    account: str = ""
    policy: tuple[Statement, ...] = ADMINISTRATOR


@dataclass(frozen=True)
class RoleTable:
    """``trust`` lists who may assume it: accounts, or ARNs of users and roles. ``external_id`` "" asks for none."""

    trust: tuple[str, ...]
    account: str = ""
    external_id: str = ""
    max_session_seconds: int = SESSION_SECONDS
    policy: tuple[Statement, ...] = ADMINISTRATOR

    def problems(self) -> list[str]:
        if SESSION_SECONDS <= self.max_session_seconds <= LONGEST_SESSION_SECONDS:
            return []
        return [f"max_session_seconds: {self.max_session_seconds} is not 3600 to 43200"]


@dataclass(frozen=True)
class Identity:
    """A user, or a role's session: ``role_arn`` is "" for a user, and a user's key never ends."""

    account: str
    arn: str
    user_id: str
    policy: tuple[Statement, ...] = ADMINISTRATOR
    role_arn: str = ""
    token: str = ""
    ends: float = float("inf")


@dataclass(frozen=True)
class Session:
    """What AssumeRole gives out; ``secret`` is what the client signs with."""

    key: str
    secret: str
    identity: Identity


class Access:
    """Every access key and every role. A file that names no role lets each one be assumed, as an administrator."""

    def __init__(
        self, users: Mapping[str, UserTable], roles: Mapping[str, RoleTable], account: str, *, others_refused: bool
    ) -> None:
        self._account = account
        self._others_refused = others_refused
        self._identities = {each.access_key_id: _user(name, each, account) for name, each in users.items()}
        self._roles = {role_arn(each.account or account, name): each for name, each in roles.items()}
        self._numbers = itertools.count(1)

    def add_role(self, name: str, role: RoleTable) -> None:
        """A role beside those of the world file; from the first one on, only roles that are known can be assumed."""
        self._roles[role_arn(role.account or self._account, name)] = role

    def identify(self, service: str, key: str, token: str | None, now: float) -> Identity:
        """The owner of a key; ``token`` None is not compared. Raises AwsError as ``service`` words it."""
        found = self._identities.get(key)
        if found is None:
            return self._stranger(service, key)
        if token not in (None, found.token):
            raise refusals.unknown_key(service)
        if now >= found.ends:
            raise refusals.expired(service)
        return found

    def assume(
        self, who: Identity, arn: str, session: str, seconds: int, external_id: str | None, now: float
    ) -> Session:
        """A new session of the role. Raises AwsError."""
        if not _ROLE_ARN.fullmatch(arn):
            raise AwsError("ValidationError", f"{arn} is invalid")
        role = self._find(arn)
        if role is None or not _trusts(role, who) or role.external_id not in ("", external_id):
            raise refusals.denied("sts", f"User: {who.arn} is not authorized to perform: {ASSUME} on resource: {arn}")
        verdict = judge(who.policy, ASSUME, arn, {"sts:ExternalId": external_id} if external_id else {})
        trusted_by_name = who.account == _account_of(arn) and _named(role, who)
        if verdict == "denied" or (verdict == "not allowed" and not trusted_by_name):
            raise refusals.denied("sts", denial(who, ASSUME, arn, explicit=verdict == "denied"))
        _check_duration(role, seconds, chained=bool(who.role_arn))
        return self._begin(role, arn, session, now + seconds)

    def _stranger(self, service: str, key: str) -> Identity:
        """An administrator, unless the file says otherwise; a session's key can only be one of a lab that has ended."""
        if self._others_refused or key.startswith(SESSION_KEY):
            raise refusals.unknown_key(service)
        return _administrator(self._account)

    def _find(self, arn: str) -> RoleTable | None:
        anyone = RoleTable(trust=("*",), max_session_seconds=LONGEST_SESSION_SECONDS)
        return self._roles.get(arn) if self._roles else anyone

    def _begin(self, role: RoleTable, arn: str, session: str, ends: float) -> Session:
        key = SESSION_KEY + unique_id(f"{arn}/{session}/{next(self._numbers)}")
        account, name = _account_of(arn), arn.rpartition("/")[2]
        identity = Identity(
            account=account,
            arn=f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
            user_id=f"AROA{unique_id(arn)}:{session}",
            policy=role.policy,
            role_arn=arn,
            token=f"token-of-{key}",
            ends=ends,
        )
        self._identities[key] = identity
        return Session(key, f"secret-of-{key}", identity)


def authorize(who: Identity, service: str, action: str, resource: str, context: Mapping[str, str]) -> None:
    """Raises AwsError, in AWS's words, unless the identity's policy allows the action."""
    verdict = judge(who.policy, action, resource, context)
    if verdict != "allowed":
        raise refusals.denied(service, denial(who, action, resource, explicit=verdict == "denied"))


def denial(who: Identity, action: str, resource: str, *, explicit: bool = False) -> str:
    because = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {who.arn} is not authorized to perform: {action} on resource: {resource} {because}"


def role_arn(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def unique_id(name: str) -> str:
    """Sixteen capital letters and digits, as in AWS's unique identifiers; the same in every lab."""
    return hashlib.sha256(name.encode()).hexdigest()[:16].upper()


def _user(name: str, table: UserTable, default_account: str) -> Identity:
    account = table.account or default_account
    arn = f"arn:aws:iam::{account}:user/{name}"
    return Identity(account, arn, f"AIDA{unique_id(arn)}", table.policy)


def _administrator(account: str) -> Identity:
    """Whoever calls with a key that the file does not name."""
    return Identity(account, f"arn:aws:iam::{account}:user/lab", "AIDALABLABLABLABLABLA")


def _trusts(role: RoleTable, who: Identity) -> bool:
    accounts = {"*", who.account, f"arn:aws:iam::{who.account}:root"}
    return bool(accounts & set(role.trust)) or _named(role, who)


def _named(role: RoleTable, who: Identity) -> bool:
    """A trust policy that names the principal itself is enough within one account."""
    return bool({who.arn, who.role_arn or who.arn} & set(role.trust))


def _account_of(arn: str) -> str:
    return arn.split(":")[4]


def _check_duration(role: RoleTable, seconds: int, *, chained: bool) -> None:
    if chained and seconds > LONGEST_CHAINED_SECONDS:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        )
    if seconds > role.max_session_seconds:
        raise AwsError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
