"""What the product may ask of AWS: the table in `permissions.toml`, as IAM policies of one application.

Sources: IAM user guide, "IAM JSON policy elements"; Service Authorization Reference; IAM user guide, "The confused
deputy problem" (external ids).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from failover.model import Application

TABLE = Path(__file__).with_name("permissions.toml")
VERSION = "2012-10-17"  # of IAM's policy language

Places = Mapping[str, tuple[str, ...]]  # what each {placeholder} stands for
Document = dict[str, Any]


class Access(Enum):
    """What a policy is for; checking reads what observing does, and controlling needs both."""

    OBSERVE = "observe"
    CHECK = "check"
    CONTROL = "control"
    ONBOARD = "onboard"
    ASSUME = "assume"


_INCLUDED = {
    Access.CHECK: (Access.OBSERVE, Access.CHECK),
    Access.CONTROL: (Access.OBSERVE, Access.CHECK, Access.CONTROL),
}


@dataclass(frozen=True)
class Permission:
    """One action on one resource. `when` names what an application must have to need it; "" is always."""

    action: str
    access: Access
    resource: str
    why: str
    narrowest: str = ""
    when: str = ""
    implied_by: str = ""
    listing: str = ""
    condition: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@cache
def permissions() -> tuple[Permission, ...]:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return tuple(Permission(action, **{**row, "access": Access(row["access"])}) for action, row in table.items())


def of(*access: Access) -> tuple[Permission, ...]:
    """The permissions of these kinds, in the table's order."""
    return tuple(each for each in permissions() if each.access in access)


def needed(application: Application, access: Access = Access.CONTROL, *, scalable_target: bool = True) -> list[str]:
    """The actions that the application needs, as IAM names them. `scalable_target`: whether its service has one."""
    return [each.action for each in _chosen(application, access, scalable_target=scalable_target)]


def policy_for(application: Application, access: Access = Access.CONTROL, *, scalable_target: bool = True) -> Document:
    """The policy of whoever observes or controls it: of `role_arn` where it names one, else of the process's own role.

    The configuration does not say whether the service has a scalable target: without one, pass `scalable_target` False.
    """
    chosen = _chosen(application, access, scalable_target=scalable_target)
    return policy(statements(chosen, places(application)))


def caller_policy(application: Application) -> Document | None:
    """The policy of the process's own role where the application names a role to assume; None where it names none."""
    if not application.role_arn:
        return None
    return policy(statements(of(Access.ASSUME), places(application)))


def listing_policy() -> Document:
    """The policy of whoever chooses from what an account has, before an application is known."""
    anything = (replace(each, resource="*", condition={}) for each in permissions() if _lists(each))
    return policy(statements(anything, {}))


def trust_policy(principal: str, external_id: str = "") -> Document:
    """Who may assume an application's role: `principal` is the ARN of the role or user that runs the product."""
    statement: Document = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return policy([statement])


def policy(entries: Iterable[Any]) -> Document:
    return {"Version": VERSION, "Statement": list(entries)}


def places(application: Application) -> Places:
    """What the placeholders stand for. A cluster and a service may be configured by their ARNs."""
    _, partition, _, region, account, _ = application.ecs_target_group_arn.split(":", 5)
    routes = application.routes
    return {
        "partition": (partition,),
        "region": (region,),
        "account": (account,),
        "slug": (application.slug,),
        "cluster": (application.cluster.rsplit("/", 1)[-1],),
        "service": (application.service.rsplit("/", 1)[-1],),
        "function": (application.function_name.rpartition(":function:")[2],),
        "lease_table": (application.lease_table.rsplit("/", 1)[-1],),
        "role": (application.role_arn,),
        "rule_routes": tuple(each.arn for each in routes if each.is_rule),
        "listener_routes": tuple(each.arn for each in routes if not each.is_rule),
    }


def statements(chosen: Iterable[Permission], stand_for: Places) -> list[Document]:
    """One statement for the actions that share resource and condition. Raises KeyError for an unknown placeholder."""
    together: dict[tuple[str, str], list[Permission]] = {}
    for each in chosen:
        together.setdefault((each.resource, repr(each.condition)), []).append(each)
    return [_statement(group, stand_for) for group in together.values()]


def _statement(group: list[Permission], stand_for: Places) -> Document:
    first = group[0]
    found: Document = {
        "Effect": "Allow",
        "Action": [each.action for each in group],
        "Resource": _filled(first.resource, stand_for),
    }
    if first.condition:
        found["Condition"] = {
            operator: {key: _filled(value, stand_for) for key, value in tests.items()}
            for operator, tests in first.condition.items()
        }
    return found


def _filled(text: str, stand_for: Places) -> str | list[str]:
    """A placeholder alone may stand for several values, within a text for one."""
    if text.startswith("{") and text.endswith("}") and text.count("{") == 1:
        values = stand_for[text[1:-1]]
        return values[0] if len(values) == 1 else list(values)
    return text.format(**{name: values[0] for name, values in stand_for.items() if values})


def _chosen(application: Application, access: Access, *, scalable_target: bool) -> list[Permission]:
    has = {
        "": True,
        "rule_route": any(each.is_rule for each in application.routes),
        "listener_route": any(not each.is_rule for each in application.routes),
        "scalable_target": scalable_target,
        "lease_table": bool(application.lease_table),
        "role": bool(application.role_arn),
    }
    return [each for each in of(*_INCLUDED.get(access, (access,))) if has[each.when]]


def _lists(each: Permission) -> bool:
    return each.access is Access.ONBOARD or bool(each.listing)


def markdown() -> str:
    """The table as documentation shows it."""
    lines = ["| action | for | resource | why |", "| --- | --- | --- | --- |"]
    lines += [f"| `{each.action}` | {_purpose(each)} | {_where(each)} | {each.why} |" for each in permissions()]
    return "\n".join(lines)


def _purpose(each: Permission) -> str:
    return f"{each.access.value}, with a {each.when.replace('_', ' ')}" if each.when else each.access.value


def _where(each: Permission) -> str:
    where = f"`{each.resource}`" + (f": {each.narrowest}" if each.narrowest else "")
    tests = [(key, value) for keys in each.condition.values() for key, value in keys.items()]
    where += f"; `{each.listing}` while parts are chosen" if each.listing not in ("", each.resource) else ""
    return where + "".join(f"<br>if `{key}` is `{value}`" for key, value in tests)
