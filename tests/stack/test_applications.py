"""The TOML that the panel imports, for an application of the lab."""

import tomllib
from pathlib import Path
from typing import Any

from stack.applications import application_toml, write_applications
from stack.laboratory import Laboratory, laboratory

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"


def described(slug: str, rules: list[str]) -> dict[str, Any]:
    return {
        "name": f'The "{slug}" API',
        "urls": ["http://127.0.0.1:1", "http://127.0.0.1:2"],
        "function_name": slug,
        "reserved_concurrency": 14,
        "lambda_target_group_arn": f"{ARN}targetgroup/{slug}-lambda/1",
        "ecs_target_group_arn": f"{ARN}targetgroup/{slug}-ecs/1",
        "listener_arn": f"{ARN}listener/app/{slug}/1/1",
        "rule_arns": rules,
        "cluster": "apis",
        "service": slug,
        "alarms": [f"{slug}-lambda-concurrency"],
    }


def lab() -> Laboratory:
    applications = {"checkout": described("checkout", []), "payments": described("payments", [f"{ARN}listener-rule/1"])}
    return laboratory(
        {"endpoint": "http://127.0.0.1:3", "region": "eu-west-1", "account": "1", "applications": applications}
    )


def test_the_file_names_both_pools_and_every_route() -> None:
    payments = tomllib.loads(application_toml(lab().applications[1], "eu-west-1"))
    assert payments["application"]["name"] == 'The "payments" API'
    assert payments["application"]["mode"] == "auto"
    assert payments["application"]["probe_url"] == "http://127.0.0.1:1/env"
    assert payments["lambda"]["target_group_arn"].endswith("payments-lambda/1")
    assert payments["ecs"] == {
        "cluster": "apis",
        "service": "payments",
        "target_group_arn": f"{ARN}targetgroup/payments-ecs/1",
    }
    assert payments["routes"] == [
        {"listener_arn": f"{ARN}listener/app/payments/1/1"},
        {"rule_arn": f"{ARN}listener-rule/1"},
    ]


def test_checkout_gets_more_tasks_than_the_others(tmp_path: Path) -> None:
    files = write_applications(lab(), tmp_path / "applications")
    counts = {file.stem: tomllib.loads(file.read_text())["policy"]["failover_count"] for file in files}
    assert counts == {"checkout": 3, "payments": 2}
