"""What code is behind each pool: the digest of its image and its tag `version`.

Source: Lambda API reference, GetFunction (Code.ResolvedImageUri names an image by its digest; Tags take permission for
ListTags, else TagsError says why they are left out); ECS API reference, DescribeTaskDefinition (tags where `include`
asks for them) and TaskDefinition (`cpu` in CPU units, 1024 to a vCPU).
"""

from __future__ import annotations

import re
from typing import Any

from failover.aws.errors import translated
from failover.model import Code, Versions
from failover.ports import AwsError

TAG = "version"
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")


def read(functions: Any, ecs: Any, function_name: str, task_definition: str) -> Versions:
    """Raises AwsError."""
    if not task_definition:
        raise AwsError("missing", "The ECS service names no task definition.", "Let ECS deploy it (controller ECS).")
    with translated("lambda:GetFunction", function_name):
        function = _function(functions.get_function(FunctionName=function_name))
    with translated("ecs:DescribeTaskDefinition", task_definition):
        described = ecs.describe_task_definition(taskDefinition=task_definition, include=["TAGS"])
        return Versions(function, _task(described), _cpu_units(described["taskDefinition"]))


def _function(answer: dict[str, Any]) -> Code:
    hidden = answer.get("TagsError")
    said = hidden.get("Message", "") if hidden else ""
    problem = f"The function's tags can't be read: {said} Grant lambda:ListTags on it." if hidden else ""
    return Code(_digest(answer["Code"].get("ResolvedImageUri", "")), answer.get("Tags", {}).get(TAG, ""), problem)


def _task(answer: dict[str, Any]) -> Code:
    """Which of several containers is the API is not said, so that only a single one's image counts."""
    images = [container.get("image", "") for container in answer["taskDefinition"]["containerDefinitions"]]
    tags = {tag["key"]: tag["value"] for tag in answer.get("tags", ())}
    return Code(_digest(images[0]) if len(images) == 1 else "", tags.get(TAG, ""))


def _digest(image: str) -> str:
    """An image that is named by a tag alone has none: a tag can be moved."""
    found = _DIGEST.search(image)
    return found[1] if found else ""


def _cpu_units(definition: dict[str, Any]) -> int:
    on_fargate = "FARGATE" in definition.get("requiresCompatibilities", ())
    return int(definition["cpu"]) if on_fargate and definition.get("cpu", "").isdecimal() else 0
