"""A realistic input for every operation that the lab answers, in an order that they can be called in."""


def inputs(virtual):
    """``(service, operation): input`` for the tests' world, with tasks running."""
    application = virtual.world.applications["checkout"]
    task = next(iter(application.service.tasks))
    listener, rule = application.listener, application.listener.rules[0]
    groups = {"ListenerArn": listener.arn}
    cluster, function, leased = {"cluster": "apis"}, {"FunctionName": "checkout"}, {"TableName": "leases"}
    scalable = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    key = {"application": {"S": "checkout"}}
    alarm = "checkout-lambda-throttles"
    return {
        ("ecs", "DescribeServices"): cluster | {"services": ["checkout", "nobody"]},
        ("ecs", "UpdateService"): cluster | {"service": "checkout", "desiredCount": 2},
        ("ecs", "ListTasks"): cluster | {"serviceName": "checkout"},
        ("ecs", "DescribeTasks"): cluster | {"tasks": [task, "nobody"]},
        ("ecs", "DescribeTaskDefinition"): {"taskDefinition": "checkout"},
        ("ecs", "ListClusters"): {},
        ("ecs", "ListServices"): cluster,
        ("elbv2", "DescribeLoadBalancers"): {"Names": ["checkout"]},
        ("elbv2", "DescribeListeners"): {"LoadBalancerArn": application.load_balancer.arn},
        ("elbv2", "DescribeRules"): groups,
        ("elbv2", "ModifyListener"): groups | {"DefaultActions": listener.default.actions},
        ("elbv2", "ModifyRule"): {"RuleArn": rule.arn, "Actions": rule.actions},
        ("elbv2", "DescribeTargetGroups"): {},
        ("elbv2", "DescribeTargetGroupAttributes"): {"TargetGroupArn": application.ecs_group.arn},
        ("elbv2", "DescribeTargetHealth"): {"TargetGroupArn": application.ecs_group.arn},
        ("cloudwatch", "SetAlarmState"): {"AlarmName": alarm, "StateValue": "ALARM", "StateReason": "drill"},
        ("cloudwatch", "DescribeAlarms"): {"AlarmNames": [alarm]},
        ("cloudwatch", "DisableAlarmActions"): {"AlarmNames": [alarm]},
        ("cloudwatch", "EnableAlarmActions"): {"AlarmNames": [alarm]},
        ("cloudwatch", "PutAlarmMuteRule"): {
            "Name": "night",
            "Rule": {"Schedule": {"Expression": "at(2027-01-15T08:00)", "Duration": "PT1H"}},
            "MuteTargets": {"AlarmNames": [alarm]},
        },
        ("cloudwatch", "GetAlarmMuteRule"): {"AlarmMuteRuleName": "night"},
        ("cloudwatch", "ListAlarmMuteRules"): {},
        ("cloudwatch", "DeleteAlarmMuteRule"): {"AlarmMuteRuleName": "night"},
        ("cloudwatch", "DescribeAlarmHistory"): {"AlarmName": alarm},
        ("cloudwatch", "GetMetricData"): metric_data(virtual.now),
        ("lambda", "GetFunction"): function,
        ("lambda", "GetFunctionConcurrency"): function,
        ("lambda", "PutFunctionConcurrency"): function | {"ReservedConcurrentExecutions": 14},
        ("lambda", "GetFunctionConfiguration"): function,
        ("lambda", "GetAccountSettings"): {},
        ("application-autoscaling", "RegisterScalableTarget"): scalable
        | {"ResourceId": "service/apis/checkout", "MinCapacity": 0, "MaxCapacity": 6},
        ("application-autoscaling", "DescribeScalableTargets"): {"ServiceNamespace": "ecs"},
        ("application-autoscaling", "DeregisterScalableTarget"): scalable | {"ResourceId": "service/apis/checkout"},
        ("sts", "GetCallerIdentity"): {},
        ("sts", "AssumeRole"): {"RoleArn": "arn:aws:iam::123456789012:role/panel", "RoleSessionName": "night"},
        ("dynamodb", "PutItem"): leased | {"Item": key | {"n": {"N": "1"}, "on": {"BOOL": True}}},
        ("dynamodb", "GetItem"): leased | {"Key": key, "ConsistentRead": True},
        ("dynamodb", "UpdateItem"): leased
        | {
            "Key": key,
            "UpdateExpression": "SET n = :n",
            "ExpressionAttributeValues": {":n": {"N": "2"}},
            "ReturnValues": "ALL_NEW",
        },
        ("dynamodb", "DeleteItem"): leased | {"Key": key, "ReturnValues": "ALL_OLD"},
    }


def metric_data(now):
    """Two series of the function's last half minute."""
    dimensions = [{"Name": "FunctionName", "Value": "checkout"}]
    queries = [
        {
            "Id": name.lower(),
            "MetricStat": {
                "Metric": {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": dimensions},
                "Period": 5,
                "Stat": "Sum",
            },
        }
        for name in ("Invocations", "Duration")
    ]
    return {"MetricDataQueries": queries, "StartTime": now - 30, "EndTime": now}
