"""What the account has of ECS: clusters, and the services of one."""

from typing import Any

from lab.api.paging import page
from lab.errors import AwsError
from lab.world import World

WRONG = "InvalidParameterException"


def list_clusters(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    shown, token = page(
        [world.arn("ecs", f"cluster/{world.cluster}")], given.get("nextToken"), given.get("maxResults", 100), WRONG
    )
    return {"clusterArns": shown, "nextToken": token}


def list_services(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    if given.get("cluster", "default").rpartition("/")[2] != world.cluster:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    services = [application.service.arn for application in world.applications.values()]
    shown, token = page(services, given.get("nextToken"), given.get("maxResults", 10), WRONG)
    return {"serviceArns": shown, "nextToken": token}


OPERATIONS = {"ListClusters": list_clusters, "ListServices": list_services}
