"""The lab as a part of the stack, and what it tells about itself."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.loopback import get_json, put_json
from stack.part import Part


@dataclass(frozen=True)
class LabApplication:
    """One application of the lab; `urls` are the two nodes of its load balancer."""

    slug: str
    name: str
    urls: tuple[str, ...]
    function_name: str
    lambda_target_group_arn: str
    ecs_target_group_arn: str
    listener_arn: str
    rule_arns: tuple[str, ...]
    cluster: str
    service: str
    alarms: tuple[str, ...]


@dataclass(frozen=True)
class Laboratory:
    """A running lab, as its `lab.json` describes it."""

    endpoint: str
    region: str
    account: str
    applications: tuple[LabApplication, ...]

    def application(self, slug: str) -> LabApplication:
        return next(each for each in self.applications if each.slug == slug)

    async def send_events_to(self, url: str, key: str) -> None:
        """Let the lab's EventBridge deliver alarm events there, with the key in the header `X-Api-Key`."""
        await put_json(f"{self.endpoint}/_lab/destination", {"url": url, "header": "X-Api-Key", "key": key})

    async def state(self) -> Any:
        return await get_json(f"{self.endpoint}/_lab/state")

    async def calls(self) -> Any:
        return await get_json(f"{self.endpoint}/_lab/calls")

    async def play(self, scenario: str) -> None:
        """Let the lab play one of its scenarios."""
        await put_json(f"{self.endpoint}/_lab/scenario", {"name": scenario})

    async def stage(self) -> Any:
        """The scenario that is played, if any, and the load that the lab asks clients to send."""
        return await get_json(f"{self.endpoint}/_lab/scenario")

    async def is_playing(self) -> bool:
        scenario = (await self.stage())["scenario"]
        return scenario is not None and not scenario["ended"]

    async def set_load(self, slug: str, load: Mapping[str, float]) -> None:
        """Requests a second and how many percent of them are slow, from now on."""
        await put_json(f"{self.endpoint}/_lab/loads", {"application": slug, **load})

    def aws_environment(self) -> dict[str, str]:
        """What points the AWS SDK at the lab; it wants keys, and the lab takes any."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "lab",
            "AWS_SECRET_ACCESS_KEY": "lab",  # nosec B105 # the lab takes any
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def lab_part(port: int, directory: Path) -> Part:
    argv = (sys.executable, "-m", "lab", "--state-dir", str(directory), "--port", str(port))

    async def described() -> bool:
        return (directory / "lab.json").exists()

    # It ends every environment and task of the world, each of which may take a moment.
    return Part("lab", argv, ready=described, grace_seconds=20)


def read_laboratory(directory: Path) -> Laboratory:
    """Read the `lab.json` that a lab wrote into its state directory. Raises OSError when there is none."""
    return laboratory(json.loads((directory / "lab.json").read_text()))


def laboratory(described: Mapping[str, Any]) -> Laboratory:
    applications = tuple(_application(slug, each) for slug, each in described["applications"].items())
    return Laboratory(described["endpoint"], described["region"], described["account"], applications)


def _application(slug: str, described: Mapping[str, Any]) -> LabApplication:
    return LabApplication(
        slug=slug,
        name=described["name"],
        urls=tuple(described["urls"]),
        function_name=described["function_name"],
        lambda_target_group_arn=described["lambda_target_group_arn"],
        ecs_target_group_arn=described["ecs_target_group_arn"],
        listener_arn=described["listener_arn"],
        rule_arns=tuple(described["rule_arns"]),
        cluster=described["cluster"],
        service=described["service"],
        alarms=tuple(described["alarms"]),
    )
