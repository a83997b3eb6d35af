"""The preconditions against the lab: its applications are sound, and what is broken there is found."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from failover import __main__ as command_line
from failover import aws
from failover.config import parse
from failover.model import Application, Route
from failover.precondition_facts import Check, Result
from tests.failover.aws.conftest import described


@pytest.fixture
def checkout(aws_environment: Any) -> Application:
    return parse(described(aws_environment, "checkout"), "checkout")


def failures(application: Application) -> list[Check]:
    return [each for each in aws.checked(application) if each.result is Result.FAIL]


@pytest.mark.parametrize("slug", ["checkout", "search", "payments"])
def test_the_demos_applications_are_sound(aws_environment: Any, slug: str) -> None:
    checks = aws.checked(parse(described(aws_environment, slug), slug))
    assert [each for each in checks if each.result is Result.FAIL] == []
    assert sum(each.result is Result.PASS for each in checks) >= 13


def gone(arn: str) -> str:
    return f"{arn[:-4]}0000"


def test_what_is_not_there_is_named(checkout: Application) -> None:
    broken = {
        "ECS service": ({"service": "nothing"}, "ECS service apis/nothing: MISSING."),
        "Alarms": ({"alarms": ("nothing",)}, "There is no alarm nothing"),
        "Lambda target group": ({"lambda_target_group_arn": gone(checkout.lambda_target_group_arn)}, "exists"),
        "ECS target group": ({"ecs_target_group_arn": gone(checkout.ecs_target_group_arn)}, "exists"),
        "Routes": ({"routes": (Route(gone(checkout.routes[0].arn)),)}, ""),
        "Code": ({"function_name": "nothing"}, "lambda:GetFunction on nothing"),
    }
    for about, (change, says) in broken.items():
        found = {each.about: each for each in failures(replace(checkout, **change))}
        assert about in found, change
        assert says in found[about].says + found[about].remedy


def test_an_alarm_whose_actions_are_off_is_found(checkout: Application) -> None:
    cloudwatch = boto3.client("cloudwatch", region_name=checkout.region)
    cloudwatch.disable_alarm_actions(AlarmNames=[checkout.alarms[0]])
    try:
        (failure,) = failures(checkout)
    finally:
        cloudwatch.enable_alarm_actions(AlarmNames=[checkout.alarms[0]])
    assert failure.remedy == f"aws cloudwatch enable-alarm-actions --alarm-names {checkout.alarms[0]}"


def test_a_missing_permission_is_named_with_what_to_grant(aws_environment: Any, checkout: Application) -> None:
    switch(aws_environment, "api_denied", ["ecs:DescribeServices"])
    try:
        found = failures(checkout)
    finally:
        switch(aws_environment, "api_denied", None)
    assert any("Grant ecs:DescribeServices" in each.says for each in found), found


def switch(lab: Any, name: str, value: Any) -> None:
    body = json.dumps({"switch": name, "application": "", "value": value}).encode()
    url = f"{lab.endpoint}/_lab/faults"
    urllib.request.urlopen(urllib.request.Request(url, body, method="PUT"), timeout=5).close()


def test_where_nobody_answers_one_line_says_it_and_the_others_wait(
    checkout: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    first, *others = failures(checkout)
    assert first.about == "Caller"
    assert "Check network, proxy and AWS_ENDPOINT_URL." in first.says
    assert {each.says.split(": ", 1)[1] for each in others} == {
        "Nothing is asked of AWS before it is known who asks: see the caller."
    }


def test_the_command_line_checks_and_says_by_its_status_whether_something_fails(
    aws_environment: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, document = tmp_path / "checkout.toml", described(aws_environment, "checkout")
    tables = "".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in document[name].items())
        for name in ("application", "lambda", "ecs")
    )
    file.write_text(f"{tables}[[routes]]\nlistener_arn = {json.dumps(document['routes'][0]['listener_arn'])}\n")
    assert command_line.main(["-c", str(file), "check", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["failed"] is False
    file.write_text(file.read_text().replace("checkout-lambda-throttles", "nothing"))
    assert command_line.main(["-c", str(file), "check"]) == 1
    assert "FAIL        Alarms: There is no alarm nothing" in capsys.readouterr().out
