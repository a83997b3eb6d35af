"""A realistic input for every operation that the lab answers, in an order that they can be called in."""

from lab.names import identifier


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
        **creating(application),
    }


def creating(application):
    """Calls that create, each beside what the tests' world has."""
    balancer, listener, groups = application.load_balancer, application.listener, application.ecs_group.arn
    forward = [{"Type": "forward", "TargetGroupArn": groups}]
    alarm = {
        "AlarmName": "second",
        "Namespace": "AWS/Lambda",
        "MetricName": "Throttles",
        "Dimensions": [{"Name": "FunctionName", "Value": "checkout"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }
    container = {"name": "api", "image": "api:1", "portMappings": [{"containerPort": 8080}]}
    fargate = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
    service = {
        "cluster": "apis",
        "serviceName": "second",
        "taskDefinition": "checkout",
        "desiredCount": 0,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}},
        "loadBalancers": [{"targetGroupArn": groups, "containerName": "api", "containerPort": 8080}],
    }
    function = {"FunctionName": "second", "Role": "arn:aws:iam::123456789012:role/second", "Runtime": "python3.13"}
    code = {"Handler": "api_service.lambda_handler.handler", "Code": {"S3Bucket": "code", "S3Key": "second.zip"}}
    network = {"Protocol": "HTTP", "Port": 8080, "VpcId": "vpc-1"}
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Api-Key", "ApiKeyValue": "secret"}}
    schema = [{"AttributeName": "application", "KeyType": "HASH"}]
    texts = [{"AttributeName": "application", "AttributeType": "S"}]
    events = "arn:aws:events:eu-west-1:123456789012"
    connection = f"{events}:connection/panel/{identifier('panel')}"
    destination = f"{events}:api-destination/panel/{identifier('panel')}"
    panel = {"Name": "panel", "InvocationEndpoint": "https://panel.invalid/", "HttpMethod": "POST"}
    return {
        ("elbv2", "CreateLoadBalancer"): {"Name": "second", "Subnets": ["subnet-a", "subnet-b"]},
        ("elbv2", "CreateTargetGroup"): {"Name": "second", "TargetType": "ip", **network},
        ("elbv2", "ModifyTargetGroupAttributes"): {
            "TargetGroupArn": groups,
            "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}],
        },
        ("elbv2", "RegisterTargets"): {
            "TargetGroupArn": application.lambda_group.arn,
            "Targets": [{"Id": application.function.settings.arn}],
        },
        ("elbv2", "CreateListener"): {
            "LoadBalancerArn": balancer.arn,
            "Port": 8080,
            "Protocol": "HTTP",
            "DefaultActions": forward,
        },
        ("elbv2", "CreateRule"): {
            "ListenerArn": listener.arn,
            "Priority": 77,
            "Conditions": [{"Field": "path-pattern", "Values": ["/second/*"]}],
            "Actions": forward,
        },
        ("ecs", "CreateCluster"): {"clusterName": "apis"},
        ("ecs", "RegisterTaskDefinition"): {"family": "second", "containerDefinitions": [container], **fargate},
        ("ecs", "CreateService"): service,
        ("cloudwatch", "PutMetricAlarm"): alarm,
        ("lambda", "CreateFunction"): function | code,
        ("lambda", "AddPermission"): {
            "FunctionName": "checkout",
            "StatementId": "load-balancer",
            "Action": "lambda:InvokeFunction",
            "Principal": "elasticloadbalancing.amazonaws.com",
            "SourceArn": application.lambda_group.arn,
        },
        ("service-quotas", "GetServiceQuota"): {"ServiceCode": "fargate", "QuotaCode": "L-3032A538"},
        ("events", "CreateConnection"): {"Name": "panel", "AuthorizationType": "API_KEY", "AuthParameters": key},
        ("events", "CreateApiDestination"): {"ConnectionArn": connection, **panel},
        ("events", "PutRule"): {"Name": "second", "EventPattern": '{"source": ["aws.ecs"]}'},
        ("events", "PutTargets"): {
            "Rule": "ecs-wake-ups",
            "Targets": [{"Id": "panel", "Arn": destination, "RoleArn": "arn:aws:iam::123456789012:role/events"}],
        },
        ("dynamodb", "CreateTable"): {
            "TableName": "second",
            "KeySchema": schema,
            "AttributeDefinitions": texts,
            "BillingMode": "PAY_PER_REQUEST",
        },
    }


# What those calls need to be there, in this order.
_FIRST = (
    ("lambda", "AddPermission"),
    ("events", "CreateConnection"),
    ("events", "CreateApiDestination"),
)


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


def prepare(virtual, call):
    """What must have been created before this call."""
    given = inputs(virtual)
    for each in _FIRST[: _FIRST.index(call) if call in _FIRST else None]:
        virtual.call(*each, **given[each])
