"""Service Quotas: how many vCPUs the account's tasks may have on Fargate, and no other quota."""

from typing import Any

from lab.errors import AwsError
from lab.world import World

FARGATE = ("fargate", "L-3032A538")
VCPUS = 6.0  # what a new account begins with


def get_service_quota(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    service, quota = given["ServiceCode"], given["QuotaCode"]
    if (service, quota) != FARGATE:
        raise AwsError("NoSuchResourceException", f"The lab has no quota {quota} of {service}.")
    arn = world.arn("servicequotas", f"{service}/{quota}")
    return {"Quota": {"ServiceCode": service, "QuotaCode": quota, "QuotaArn": arn, "Value": VCPUS}}


OPERATIONS = {"GetServiceQuota": get_service_quota}
