"""connect.yaml, replayed as calls: which events it takes, with which key, and what the panel may do."""

import json

import pytest

from lab.event_patterns import matches, read
from tests.infra.conftest import CONNECTION, KEY, of_application
from tests.infra.replay import replay
from tests.infra.template import ACCOUNT, REGION, ParameterError

ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"


def rules(connected):
    lab = connected.lab
    return {each.name: each for each in lab.world.bus.rules if each.name.startswith("failover-")}


def alarm_event(name="checkout-lambda-throttles", state="ALARM"):
    detail = {"alarmName": name, "state": {"value": state}}
    return {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": detail}


def task_event(service="checkout", status="RUNNING", cluster="checkout"):
    detail = {"group": f"service:{service}", "clusterArn": f"{ECS}:cluster/{cluster}", "lastStatus": status}
    return {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": detail}


def service_event(kind="ECS Service Action", service="checkout"):
    return {"source": "aws.ecs", "detail-type": kind, "resources": [f"{ECS}:service/checkout/{service}"], "detail": {}}


@pytest.mark.parametrize(
    ("event", "taken"),
    [
        (alarm_event(), True),
        (alarm_event(state="OK"), True),
        (alarm_event("checkout-lambda-concurrency"), True),
        (alarm_event("somebody-elses"), False),
        (alarm_event(state="INSUFFICIENT_DATA"), False),
        (task_event(), True),
        (task_event(status="STOPPED"), True),
        (task_event(status="PENDING"), False),
        (task_event("other"), False),
        (task_event(cluster="other"), False),
        (service_event(), True),
        (service_event("ECS Deployment State Change"), True),
        (service_event(service="other"), False),
    ],
)
def test_it_takes_the_applications_events_and_no_others(connected, event, taken):
    assert any(matches(rule.pattern, event) for rule in rules(connected).values()) == taken


def test_events_go_to_the_panels_webhook_with_its_key(connected):
    for rule in rules(connected).values():
        assert rule.destination.url == "https://panel.example.com/webhooks/eventbridge"
        assert (rule.destination.header, rule.destination.key) == ("X-Api-Key", KEY)


def test_alarms_are_retried_for_a_day_and_then_kept(connected):
    rule = rules(connected)["failover-checkout-alarms"]
    assert (rule.retry.retries, rule.retry.age, rule.dead_letter_queue) == (185, 86_400, True)


def test_the_queue_takes_what_the_rule_could_not_deliver_and_tells(connected):
    (statement,) = connected.noted["UndeliveredPolicy"]["PolicyDocument"]["Statement"]
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == connected.stack.made["AlarmRule"].attributes["Arn"]
    alarm = connected.noted["UndeliveredAlarm"]
    assert alarm["Dimensions"][0]["Value"] == "failover-checkout-undelivered"
    assert alarm["TreatMissingData"] == "notBreaching"


def test_people_are_told_where_a_topic_is_given(deploy, application):
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
    made = deploy("connect.yaml", **of_application(application.stack), **CONNECTION, AlarmTopicArn=topic)
    assert made.noted["UndeliveredAlarm"]["AlarmActions"] == [topic]


def test_a_changed_key_is_read_by_its_version(lab, application):
    secrets = {"webhook-key": "old", "webhook-key@v2": "new"}
    given = {**of_application(application.stack), **CONNECTION, "WebhookKeyVersion": "v2"}
    made = replay("connect.yaml", lab, secrets, **given)
    assert {each.destination.key for each in rules(made).values()} == {"new"}


def test_the_key_stands_in_no_parameter(connected):
    assert KEY not in json.dumps(connected.stack.parameters)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"PanelUrl": "http://panel.example.com"}, "PanelUrl"),
        ({"PanelUrl": "https://panel.example.com/webhooks"}, "PanelUrl"),
        ({"RuleArns": ""}, "RouteIsGiven"),
        ({"PanelPrincipal": "123456789012"}, "PanelPrincipal"),
        ({"ExternalId": ""}, "ExternalId"),
    ],
)
def test_parameters_that_can_not_work_are_refused(deploy, application, changed, said):
    with pytest.raises(ParameterError, match=said):
        deploy("connect.yaml", **{**of_application(application.stack), **CONNECTION, **changed})


def test_the_pattern_is_what_eventbridge_reads(connected):
    for name, rule in rules(connected).items():
        assert read(json.dumps(rule.pattern)) == rule.pattern, name
