"""Unmodified boto3 against a running lab: every call, and the errors with AWS's codes."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.lab


def code(error):
    return error.value.response["Error"]["Code"]


def test_sts(aws):
    identity = aws("sts").get_caller_identity()
    assert identity["Account"] == "123456789012"
    role = aws("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/panel", RoleSessionName="me", ExternalId="us")
    assert role["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/panel/me"
    assert role["Credentials"]["Expiration"] > datetime.now(UTC) + timedelta(minutes=50)


def test_every_answer_has_a_request_id(aws, checkout):
    answers = [
        aws("sts").get_caller_identity(),
        aws("ecs").describe_services(cluster="apis", services=["checkout"]),
        aws("lambda").get_account_settings(),
        aws("cloudwatch").describe_alarms(),
        aws("elbv2").describe_load_balancers(),
    ]
    ids = [answer["ResponseMetadata"]["RequestId"] for answer in answers]
    assert len(set(ids)) == len(answers)


def test_describe_services(aws, checkout):
    answer = aws("ecs").describe_services(cluster="apis", services=["checkout", "nobody"])
    (service,) = answer["services"]
    assert (service["status"], service["desiredCount"], service["runningCount"]) == ("ACTIVE", 0, 0)
    assert service["loadBalancers"][0]["targetGroupArn"] == checkout["ecs_target_group_arn"]
    assert service["createdAt"].tzinfo is not None
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]


def test_listeners_and_rules(aws, checkout):
    (listener,) = aws("elbv2").describe_listeners(ListenerArns=[checkout["listener_arn"]])["Listeners"]
    forward = listener["DefaultActions"][0]["ForwardConfig"]
    assert [group["Weight"] for group in forward["TargetGroups"]] == [1, 0]
    pages = (
        aws("elbv2")
        .get_paginator("describe_rules")
        .paginate(ListenerArn=checkout["listener_arn"], PaginationConfig={"PageSize": 1})
    )
    rules = [rule for page in pages for rule in page["Rules"]]
    assert [(rule["Priority"], rule["IsDefault"]) for rule in rules] == [("10", False), ("default", True)]
    assert rules[1]["Actions"] == listener["DefaultActions"]
    assert rules[0]["Conditions"][0]["Values"] == ["/pong"]
    assert checkout["rule_arns"] == [rules[0]["RuleArn"]]


def test_target_groups_attributes_and_health(aws, checkout):
    elbv2 = aws("elbv2")
    arns = [checkout["lambda_target_group_arn"], checkout["ecs_target_group_arn"]]
    function, tasks = elbv2.describe_target_groups(TargetGroupArns=arns)["TargetGroups"]
    assert (function["TargetType"], function["HealthCheckEnabled"]) == ("lambda", False)
    assert (tasks["TargetType"], tasks["HealthCheckEnabled"], tasks["Port"]) == ("ip", True, 8080)
    assert tasks["LoadBalancerArns"] == [checkout["load_balancer_arn"]]
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arns[1])["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "10"} in attributes
    (health,) = elbv2.describe_target_health(TargetGroupArn=arns[0])["TargetHealthDescriptions"]
    assert health["TargetHealth"]["State"] == "unavailable"
    assert health["TargetHealth"]["Reason"] == "Target.HealthCheckDisabled"
    (balancer,) = elbv2.describe_load_balancers(LoadBalancerArns=[checkout["load_balancer_arn"]])["LoadBalancers"]
    assert balancer["State"]["Code"] == "active"


def test_modify_rule_replaces_the_whole_action_list(aws, checkout):
    elbv2, (rule,) = aws("elbv2"), checkout["rule_arns"]
    before = elbv2.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"]
    groups = [
        {"TargetGroupArn": checkout["lambda_target_group_arn"], "Weight": 999},
        {"TargetGroupArn": checkout["ecs_target_group_arn"], "Weight": 0},
    ]
    written = [{"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups}}]
    try:
        elbv2.modify_rule(RuleArn=rule, Actions=written)
        after = elbv2.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"]
        assert after[0]["ForwardConfig"]["TargetGroups"] == groups
    finally:
        elbv2.modify_rule(RuleArn=rule, Actions=before)
    assert elbv2.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"] == before


def test_an_oidc_secret_never_comes_back(aws, checkout):
    elbv2, (rule,) = aws("elbv2"), checkout["rule_arns"]
    before = elbv2.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"]
    address = "https://login.example"
    oidc = {
        "Issuer": address,
        "AuthorizationEndpoint": address,
        "TokenEndpoint": address,
        "UserInfoEndpoint": address,
        "ClientId": "panel",
        "ClientSecret": "s3cret",
    }
    authenticate = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": oidc}
    try:
        elbv2.modify_rule(RuleArn=rule, Actions=[authenticate, before[0] | {"Order": 2}])
        shown = elbv2.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"]
        assert shown[0]["AuthenticateOidcConfig"]["ClientId"] == "panel"
        assert "ClientSecret" not in shown[0]["AuthenticateOidcConfig"]
    finally:
        elbv2.modify_rule(RuleArn=rule, Actions=before)


def test_alarms(aws, checkout):
    alarms = aws("cloudwatch").describe_alarms(AlarmNames=checkout["alarms"])["MetricAlarms"]
    concurrency, throttles = alarms
    assert (concurrency["MetricName"], concurrency["Statistic"], concurrency["Threshold"]) == (
        "ConcurrentExecutions",
        "Maximum",
        11,
    )
    assert (throttles["Period"], throttles["TreatMissingData"]) == (5, "notBreaching")
    assert throttles["StateTransitionedTimestamp"].tzinfo is not None


def test_composite_alarms(aws):
    answer = aws("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])
    assert answer["MetricAlarms"] == []
    (alarm,) = answer["CompositeAlarms"]
    assert (alarm["AlarmName"], alarm["AlarmRule"]) == ("narrow-never", "FALSE")
    assert (alarm["ActionsSuppressor"], alarm["ActionsSuppressorWaitPeriod"]) == ("checkout-lambda-concurrency", 60)
    assert alarm["StateTransitionedTimestamp"].tzinfo is not None
    assert aws("cloudwatch").describe_alarms()["CompositeAlarms"] == []


def test_a_state_set_by_hand_is_in_the_history(aws):
    cloudwatch = aws("cloudwatch")
    name = "checkout-lambda-concurrency"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="drill")
    history = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert any(item["HistorySummary"].endswith("to ALARM") for item in history)


def test_lambda(aws):
    client = aws("lambda")
    assert client.get_function_concurrency(FunctionName="checkout")["ReservedConcurrentExecutions"] == 14
    configured = client.get_function_configuration(FunctionName="checkout")
    function, arn = client.get_function(FunctionName="checkout"), configured["FunctionArn"]
    assert function["Configuration"] == {key: configured[key] for key in configured if key != "ResponseMetadata"}
    assert (function["Tags"], function["Concurrency"]["ReservedConcurrentExecutions"]) == ({"version": "1.4.0"}, 14)
    try:
        client.put_function_concurrency(FunctionName=arn, ReservedConcurrentExecutions=20)
        assert client.get_function_concurrency(FunctionName=arn)["ReservedConcurrentExecutions"] == 20
    finally:
        client.put_function_concurrency(FunctionName="checkout", ReservedConcurrentExecutions=14)
    limits = client.get_account_settings()["AccountLimit"]
    assert limits["ConcurrentExecutions"] - limits["UnreservedConcurrentExecutions"] == 15


def test_scalable_targets(aws):
    (target,) = aws("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == ("service/apis/checkout", 0, 6)


def test_task_definitions_and_deployments(aws):
    ecs = aws("ecs")
    described = ecs.describe_task_definition(taskDefinition="checkout")
    assert described["tags"] == []
    tagged = ecs.describe_task_definition(taskDefinition="checkout", include=["TAGS"])["tags"]
    assert {tag["key"]: tag["value"] for tag in tagged} == {"version": "1.3.9", "team": "shop"}
    definition = described["taskDefinition"]
    assert (definition["revision"], definition["cpu"], definition["memory"]) == (1, "256", "512")
    assert definition["registeredAt"].tzinfo is not None
    ecs.update_service(cluster="apis", service="narrow", forceNewDeployment=True)
    (service,) = ecs.describe_services(cluster="apis", services=["narrow"])["services"]
    assert service["deployments"][0]["rolloutState"] in {"IN_PROGRESS", "COMPLETED"}


def test_alarm_actions_and_mute_rules(aws):
    cloudwatch, name = aws("cloudwatch"), "checkout-lambda-concurrency"
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    assert not cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["ActionsEnabled"]
    cloudwatch.enable_alarm_actions(AlarmNames=[name])
    schedule = {"Expression": "at(2030-01-01T00:00)", "Duration": "PT1H"}
    targets = {"AlarmNames": [name]}
    cloudwatch.put_alarm_mute_rule(Name="night", Rule={"Schedule": schedule}, MuteTargets=targets)
    rule = cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="night")
    assert (rule["Status"], rule["MuteTargets"], rule["Rule"]["Schedule"]) == ("SCHEDULED", targets, schedule)
    cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="night")
    assert cloudwatch.list_alarm_mute_rules()["AlarmMuteRuleSummaries"] == []


def test_a_scalable_target_shows_what_is_suspended(aws):
    scaling = aws("application-autoscaling")
    about = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/apis/narrow",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    suspended = {"DynamicScalingInSuspended": True}
    scaling.register_scalable_target(**about, MinCapacity=0, MaxCapacity=1, SuspendedState=suspended)
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[about["ResourceId"]])[
        "ScalableTargets"
    ]
    assert target["SuspendedState"]["DynamicScalingInSuspended"]
    scaling.deregister_scalable_target(**about)


def test_metric_data_of_silence_is_empty(aws):
    now = datetime.now(UTC)
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Throttles",
        "Dimensions": [{"Name": "FunctionName", "Value": "x"}],
    }
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 5, "Stat": "Sum"}}
    (result,) = aws("cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=now - timedelta(minutes=1), EndTime=now
    )["MetricDataResults"]
    assert (result["Values"], result["Timestamps"], result["StatusCode"]) == ([], [], "Complete")


def refused(aws, checkout):
    """Calls that AWS refuses, with the code it answers."""
    group = checkout["lambda_target_group_arn"]
    heavy = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group, "Weight": 1000}]}}]
    default_rule = aws("elbv2").describe_rules(ListenerArn=checkout["listener_arn"])["Rules"][-1]["RuleArn"]
    now = datetime.now(UTC)
    listener, nobody = checkout["listener_arn"], {"cluster": "apis", "service": "none"}
    state = {"AlarmName": "none", "StateValue": "OK", "StateReason": "r"}
    instant = {"MetricDataQueries": [], "StartTime": now, "EndTime": now}
    return [
        ("ListenerNotFound", "elbv2", "describe_listeners", {"ListenerArns": ["arn:none"]}),
        ("RuleNotFound", "elbv2", "describe_rules", {"RuleArns": ["arn:none"]}),
        ("TargetGroupNotFound", "elbv2", "describe_target_health", {"TargetGroupArn": "arn:none"}),
        ("LoadBalancerNotFound", "elbv2", "describe_load_balancers", {"Names": ["none"]}),
        ("ValidationError", "elbv2", "modify_listener", {"ListenerArn": listener, "DefaultActions": heavy}),
        ("OperationNotPermitted", "elbv2", "modify_rule", {"RuleArn": default_rule, "Actions": heavy}),
        ("ValidationError", "elbv2", "describe_rules", {}),
        ("ServiceNotFoundException", "ecs", "update_service", {**nobody, "desiredCount": 1}),
        ("ClusterNotFoundException", "ecs", "list_tasks", {"cluster": "none"}),
        ("InvalidParameterException", "ecs", "describe_services", {"cluster": "apis", "services": ["x"] * 11}),
        ("ResourceNotFound", "cloudwatch", "set_alarm_state", state),
        ("ValidationError", "cloudwatch", "describe_alarms", {"AlarmNames": [f"a{n}" for n in range(101)]}),
        ("ValidationError", "cloudwatch", "get_metric_data", instant),
        ("ResourceNotFoundException", "lambda", "get_function_concurrency", {"FunctionName": "none"}),
    ]


def test_what_aws_refuses_is_refused_with_its_code(aws, checkout):
    for expected, service, operation, given in refused(aws, checkout):
        with pytest.raises(ClientError) as error:
            getattr(aws(service), operation)(**given)
        assert code(error) == expected, f"{service} {operation}"


def test_a_missing_member_is_refused_by_the_service_too(running):
    """botocore would refuse it before it is sent, so that check is switched off here."""
    client = boto3.Session("lab", "lab", region_name="eu-west-1").client(
        "ecs",
        endpoint_url=running.endpoint,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError) as error:
        client.describe_services(cluster="apis")
    assert code(error) == "InvalidParameterException"
    assert "services" in error.value.response["Error"]["Message"]


def test_a_call_that_the_lab_does_not_have_is_an_error_that_says_so(aws):
    with pytest.raises(ClientError, match="The lab does not answer ecs:DescribeClusters"):
        aws("ecs").describe_clusters()


def test_calls_are_counted_and_writes_listed(aws, control, checkout):
    before = control("calls")
    aws("elbv2").describe_listeners(ListenerArns=[checkout["listener_arn"]])
    with pytest.raises(ClientError):
        aws("ecs").update_service(cluster="apis", service="none", desiredCount=1)
    after = control("calls")
    assert after["total"] == before["total"] + 2
    assert after["by_action"]["elbv2:DescribeListeners"] == before["by_action"].get("elbv2:DescribeListeners", 0) + 1
    newest = after["writes"][-1]
    assert (newest["service"], newest["action"], newest["ok"]) == ("ecs", "UpdateService", False)
