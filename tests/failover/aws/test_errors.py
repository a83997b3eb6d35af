"""What AWS refuses with, as it goes over the wire in each protocol, and what a caller makes of it.

Bodies as documented: IAM user guide, "Troubleshoot access denied error messages"; "Common errors" of the ECS (JSON
1.1), DynamoDB (JSON 1.0), Elastic Load Balancing v2, CloudWatch and STS (Query) and Lambda (REST JSON) API references.
"""

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError, SSLError

from failover.aws.errors import translate

ROLE = "arn:aws:iam::111122223333:role/failover"
SESSION = "arn:aws:sts::111122223333:assumed-role/failover/panel"
SERVICE = "arn:aws:ecs:eu-west-1:111122223333:service/apis/checkout"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/leases"
LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/apis/1/2"

CALLS = {
    "ecs": ("update_service", {"cluster": "apis", "service": "checkout", "desiredCount": 2}),
    "elbv2": ("modify_listener", {"ListenerArn": LISTENER}),
    "cloudwatch": ("describe_alarms", {}),
    "application-autoscaling": ("describe_scalable_targets", {"ServiceNamespace": "ecs"}),
    "lambda": ("get_function_concurrency", {"FunctionName": "checkout"}),
    "sts": ("get_caller_identity", {}),
    "dynamodb": ("get_item", {"TableName": "leases", "Key": {"application": {"S": "checkout"}}}),
}


class Raw:
    def __init__(self, body: bytes):
        self._body = body

    def stream(self, *_args, **_more):
        yield self._body


def query(code: str, message: str) -> str:
    """As ELB v2, CloudWatch (in Query) and STS answer."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return f"<ErrorResponse>{error}<RequestId>r-1</RequestId></ErrorResponse>"


def json(code: str, message: str, key: str = "message", prefix: str = "") -> str:
    return f'{{"__type": "{prefix}{code}", "{key}": "{message}"}}'


def failing(service: str, status: int, body: str, headers: dict | None = None, error: Exception | None = None):
    """The error of one call that a server answers so."""
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    client = boto3.client(
        service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b", config=config
    )

    def answer(request, **_more):
        if error is not None:
            raise error
        return AWSResponse(request.url, status, headers or {}, Raw(body.encode()))

    client.meta.events.register("before-send", answer)
    operation, arguments = CALLS[service]
    with pytest.raises((ClientError, BotoCoreError)) as caught:
        getattr(client, operation)(**arguments)
    return caught.value


DENIED = (
    f"User: {SESSION} is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s "
    "action"
)
FUNCTION = "arn:aws:lambda:eu-west-1:1:function:checkout"


@pytest.mark.parametrize(
    ("service", "status", "body", "kind", "remedy"),
    [
        (
            "ecs", 400, json("AccessDeniedException", DENIED % ("ecs:UpdateService", SERVICE, "ecs:UpdateService")),
            "denied", f"Grant ecs:UpdateService on {SERVICE} to {ROLE}.",
        ),
        (
            "elbv2", 403,
            query("AccessDenied", DENIED % ("elasticloadbalancing:ModifyListener", LISTENER, "x")),
            "denied", f"Grant elasticloadbalancing:ModifyListener on {LISTENER} to {ROLE}.",
        ),
        (
            "ecs", 400,
            json("AccessDeniedException", f"User: {SESSION} is not authorized to perform: ecs:UpdateService on "
                 f"resource: {SERVICE} with an explicit deny in a service control policy"),
            "denied",
            f"The service control policy forbids ecs:UpdateService on {SERVICE} to {ROLE}: have that deny lifted.",
        ),
        (
            "cloudwatch", 403, query("AccessDenied", f"User: {SESSION} is not authorized to perform: "
                                     "cloudwatch:DescribeAlarms"),
            "denied", f"Grant cloudwatch:DescribeAlarms on THING to {ROLE}.",
        ),
        (
            "lambda", 403,
            json("x", DENIED.replace(SESSION, "arn:aws:iam::1:user/ana") % ("lambda:Get", FUNCTION, "x"), "Message"),
            "denied", f"Grant lambda:Get on {FUNCTION} to arn:aws:iam::1:user/ana.",
        ),
        (
            "dynamodb", 400,
            json("AccessDeniedException", DENIED % ("dynamodb:GetItem", TABLE, "x"), "Message",
                 "com.amazon.coral.service#"),
            "denied", f"Grant dynamodb:GetItem on {TABLE} to {ROLE}.",
        ),
        ("elbv2", 403, query("ExpiredToken", "The security token included in the request is expired"),
         "denied", "The credentials have expired"),
        ("ecs", 400, json("ExpiredTokenException", "The security token included in the request is expired"),
         "denied", "The credentials have expired"),
        ("sts", 403, query("InvalidClientTokenId", "The security token included in the request is invalid."),
         "denied", "AWS does not know these credentials"),
        ("ecs", 400, json("UnrecognizedClientException", "The security token included in the request is invalid."),
         "denied", "AWS does not know these credentials"),
        ("elbv2", 403, query("SignatureDoesNotMatch", "Signature expired: 20261124T100000Z is now earlier than …"),
         "denied", "correct this machine's clock"),
        ("elbv2", 400, query("Throttling", "Rate exceeded"), "throttled", "tried again"),
        ("ecs", 400, json("ThrottlingException", "Rate exceeded"), "throttled", "tried again"),
        ("lambda", 429, '{"Message": "Rate exceeded"}', "throttled", "tried again"),
        ("dynamodb", 400,
         json("ProvisionedThroughputExceededException", "…", prefix="com.amazonaws.dynamodb.v20120810#"),
         "throttled", "tried again"),
        ("dynamodb", 400, json("ConditionalCheckFailedException", "The conditional request failed"),
         "changed", "read again"),
        ("dynamodb", 400, json("ResourceNotFoundException", "Requested resource not found"),
         "missing", "THING exists"),
        ("dynamodb", 500, json("InternalServerError", "…"), "unanswered", "read again"),
        ("ecs", 400, json("ServiceNotFoundException", "Service not found."), "missing", "THING exists"),
        ("ecs", 400, json("ClusterNotFoundException", "Cluster not found."), "missing", "THING exists"),
        ("ecs", 400, json("ServiceNotActiveException", "Service was not ACTIVE."), "missing", "THING exists"),
        ("elbv2", 400, query("ListenerNotFound", "Listener not found"), "missing", "THING exists"),
        ("elbv2", 400, query("ValidationError", "Weight must be between 0 and 999"), "invalid", "configuration"),
        ("application-autoscaling", 400, json("ValidationException", "…"), "invalid", "configuration"),
        ("application-autoscaling", 400, json("ConcurrentUpdateException", "…"), "throttled", "tried again"),
        ("ecs", 500, json("ServerException", "Service Unavailable. Please try again later."),
         "unanswered", "read again"),
        ("elbv2", 503, "<html>not AWS's own words</html>", "unanswered", "read again"),
    ],
)  # fmt: skip
def test_each_refusal_has_its_kind_and_what_helps(service, status, body, kind, remedy):
    headers = {"x-amzn-ErrorType": "TooManyRequestsException"} if status == 429 else {}
    if service == "lambda" and status == 403:
        headers = {"x-amzn-ErrorType": "AccessDeniedException"}
    error = translate(failing(service, status, body, headers), f"{service}:Do", "THING")
    assert (error.kind, remedy in error.remedy) == (kind, True), error.remedy


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (ReadTimeoutError(endpoint_url="https://ecs"), "unanswered"),
        (ConnectionClosedError(endpoint_url="https://ecs"), "unanswered"),
        (SSLError(endpoint_url="https://ecs", error="EOF occurred in violation of protocol"), "unanswered"),
        (SSLError(endpoint_url="https://ecs", error="certificate verify failed"), "unreachable"),
    ],
)
def test_a_write_without_an_answer_may_have_taken_effect_and_one_that_never_left_has_not(raised, kind):
    assert translate(failing("ecs", 0, "", error=raised), "ecs:UpdateService", SERVICE).kind == kind


def test_a_refused_connection_and_a_name_that_does_not_resolve_are_unreachable(monkeypatch):
    for url in ("http://127.0.0.1:9", "http://nowhere.invalid"):
        client = boto3.client(
            "ecs",
            region_name="eu-west-1",
            endpoint_url=url,
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
        )
        with pytest.raises(BotoCoreError) as caught:
            client.list_clusters()
        error = translate(caught.value, "ecs:UpdateService", SERVICE)
        assert (error.kind, "AWS_ENDPOINT_URL" in error.remedy) == ("unreachable", True)


def test_a_process_without_credentials_is_told_to_get_some(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(BotoCoreError) as caught:
        boto3.Session().client("ecs", region_name="eu-west-1", endpoint_url="http://127.0.0.1:9").list_clusters()
    error = translate(caught.value, "ecs:UpdateService", SERVICE)
    assert (error.kind, "a role, a profile or keys" in error.remedy) == ("denied", True)
