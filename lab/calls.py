"""Every AWS call on its way: who asks, whether the API answers, whether it is too much, what is allowed, and the call.

The order is the one that clients can tell apart: a service that is down says nothing about keys, an unknown key says
nothing about limits, and only a call that is let through takes effect.
"""

from typing import Any

from lab import api, refusals
from lab.cloud import Cloud
from lab.iam import Identity, authorize, denial
from lab.permissions import PERMISSIONS, Permission
from lab.policy import judge, matches
from lab.throttling import LIMITS


class NoAnswerError(Exception):
    """The client hears nothing; ``took_effect`` is what it cannot know."""

    def __init__(self, message: str, *, took_effect: bool) -> None:
        super().__init__(message)
        self.took_effect = took_effect


class Calls:
    """The calls of one cloud, for its HTTP endpoint and for virtual time alike."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def admit(self, service: str, name: str, key: str, token: str | None, region: str, now: float) -> Identity:
        """Who calls. Raises NoAnswerError; AwsError where the service is down, the key is wrong or the bucket empty."""
        faults = self._cloud.faults
        if _names_service(faults.names("api_silent"), service):
            raise NoAnswerError(f"{service}:{name} is not answered", took_effect=False)
        if _names_service(faults.names("api_outage"), service):
            raise refusals.unavailable()
        who = self._cloud.access.identify(service, key, token, now)
        emptied = faults.flag("api_throttled") and (service, name) in LIMITS
        if emptied or not self._cloud.throttling.admits(who.account, region, service, name, now):
            raise refusals.throttled(service)
        return who

    def perform(
        self, who: Identity, region: str, service: str, name: str, given: dict[str, Any], now: float
    ) -> dict[str, Any]:
        """The call's output. Raises AwsError, also where IAM does not allow it; NoAnswerError for a lost answer."""
        self._authorize(who, region, service, name, given)
        if service == "sts":
            output = api.STS_OPERATIONS[name](self._cloud.access, who, given, now)
        else:
            output = api.OPERATIONS[service][name](self._cloud.world_of(who.account, region), given, now)
            self._hide_tags(who, region, PERMISSIONS[service, name], given, output)
        if _names_action(self._cloud.faults.names("api_answer_lost"), PERMISSIONS[service, name].action):
            raise NoAnswerError(f"the answer of {service}:{name} is lost", took_effect=True)
        return output

    def _authorize(self, who: Identity, region: str, service: str, name: str, given: dict[str, Any]) -> None:
        permission = PERMISSIONS[service, name]
        world = self._cloud.world_of(who.account, region)
        resources = permission.resources(world, given) or ["*"]
        self._refuse_by_switch(who, service, permission, resources[0])
        if service == "sts":
            return
        for resource in resources:
            authorize(who, service, permission.action, resource, permission.context(world, given))

    def _hide_tags(
        self, who: Identity, region: str, permission: Permission, given: dict[str, Any], output: dict[str, Any]
    ) -> None:
        """Of who may not list them, as Lambda does: GetFunction's answer then says why they are missing."""
        if not permission.for_tags:
            return
        world = self._cloud.world_of(who.account, region)
        (resource,) = permission.resources(world, given)
        denied = _names_action(self._cloud.faults.names("api_denied"), permission.for_tags)
        if denied or judge(who.policy, permission.for_tags, resource, {}) != "allowed":
            said = denial(who, permission.for_tags, resource)
            output.update({"Tags": None, "TagsError": {"ErrorCode": "AccessDeniedException", "Message": said}})

    def _refuse_by_switch(self, who: Identity, service: str, permission: Permission, resource: str) -> None:
        if _names_action(self._cloud.faults.names("api_denied"), permission.action):
            raise refusals.denied(service, denial(who, permission.action, resource))


def _names_service(names: tuple[str, ...], service: str) -> bool:
    """A service goes by botocore's name or by IAM's, such as elbv2 and elasticloadbalancing."""
    return bool({"all", service, api.IAM_PREFIXES.get(service, service)} & set(names))


def _names_action(names: tuple[str, ...], action: str) -> bool:
    return any(matches(name.lower(), action.lower()) for name in names)
