"""The same failover as a script of `aws` commands, as somebody keeps it in a runbook.

The `aws` command line is none of our dependencies: it is kept under `build/tools`, for the benchmark alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from failover.model import Application

REQUIREMENT = "awscli==1.46.3"
KEPT = Path("build/tools")
INSTALL_SECONDS = 300
SCRIPT = """
set -eu
aws() { "$PYTHON" -m awscli "$@" --output text; }
test "$(aws cloudwatch describe-alarms --alarm-names "$ALARM" --query 'MetricAlarms[0].StateValue')" = ALARM
test "$(aws ecs describe-services --cluster "$CLUSTER" --services "$SERVICE" \
    --query 'services[0].desiredCount')" -ge 1
test "$(aws elbv2 describe-target-health --target-group-arn "$ECS" \
    --query "length(TargetHealthDescriptions[?TargetHealth.State=='healthy'])")" -ge 1
aws elbv2 describe-listeners --listener-arns "$LISTENER" > /dev/null
aws elbv2 modify-listener --listener-arn "$LISTENER" --default-actions \
    "Type=forward,ForwardConfig={TargetGroups=[{TargetGroupArn=$LAMBDA,Weight=0},{TargetGroupArn=$ECS,Weight=1}]}"
"""


class NoAwsError(Exception):
    """There is no `aws` command line and none can be installed here; the message is a sentence."""


def installed(kept: Path = KEPT, requirement: str = REQUIREMENT) -> Path:
    """The folder with the `aws` command line's modules, installed once. Raises NoAwsError."""
    folder = kept.resolve() / requirement
    if folder.is_dir():
        return folder
    partial = folder.with_name(f"{requirement}.partial")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [*command, "--target", str(partial), requirement],
        capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise NoAwsError(f"{requirement} can't be installed here ({why}): no script of aws commands is measured.")
    partial.rename(folder)
    return folder


def fail_over(application: Application, modules: Path, aws: Mapping[str, str]) -> None:
    """Run the script to its end. Raises CalledProcessError."""
    about = {
        "PYTHON": sys.executable,
        "PYTHONPATH": str(modules),
        "ALARM": application.alarms[0],
        "CLUSTER": application.cluster,
        "SERVICE": application.service,
        "LISTENER": application.routes[0].arn,
        "LAMBDA": application.lambda_target_group_arn,
        "ECS": application.ecs_target_group_arn,
    }
    subprocess.run(("bash", "-c", SCRIPT), env={**os.environ, **aws, **about}, check=True, stdout=subprocess.DEVNULL)  # noqa: S603, S607
