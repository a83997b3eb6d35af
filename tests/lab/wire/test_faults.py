"""Switches for the API as boto3 meets them: codes and statuses of each service.

Each service's API Reference, "Common Errors" (ServiceUnavailable, 503); ECS API Reference, "Request throttling for the
Amazon ECS API" (ThrottlingException, 400, "Rate exceeded"); Elastic Load Balancing User Guide, "Request throttling for
the Elastic Load Balancing API" (the same); Lambda API Reference, TooManyRequestsException (429).
"""

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.lab.on_virtual import Wire

READS = [
    ("ecs", "list_tasks", {"cluster": "apis"}),
    ("elbv2", "describe_load_balancers", {}),
    ("cloudwatch", "describe_alarms", {}),
    ("lambda", "get_account_settings", {}),
    ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "ecs"}),
    ("sts", "get_caller_identity", {}),
    ("dynamodb", "get_item", {"TableName": "leases", "Key": {"application": {"S": "checkout"}}}),
]
THROTTLED = {"lambda": ("TooManyRequestsException", 429), "sts": ("Throttling", 400)}
each_service = pytest.mark.parametrize(("service", "operation", "given"), READS, ids=[service for service, *_ in READS])


@pytest.fixture
def wire(virtual):
    return Wire(virtual)


def ask(wire, service, operation, given):
    return getattr(wire.client(service), operation)(**given)


def refusal(wire, *call):
    with pytest.raises(ClientError) as refused:
        ask(wire, *call)
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


@each_service
def test_an_outage_is_a_503_in_each_protocol(wire, virtual, service, operation, given):
    virtual.faults.set("api_outage", ["all"])
    code, status, _ = refusal(wire, service, operation, given)
    assert (code, status) == ("ServiceUnavailable", 503)


@pytest.mark.parametrize(("service", "operation", "given"), READS[:-1], ids=[service for service, *_ in READS[:-1]])
def test_throttling_is_said_as_each_service_says_it(wire, virtual, service, operation, given):
    virtual.faults.set("api_throttled", value=True)
    expected = THROTTLED.get(service, ("ThrottlingException", 400))
    assert refusal(wire, service, operation, given) == (*expected, "Rate exceeded")


def test_dynamodb_has_no_bucket_of_the_account(wire, virtual):
    virtual.faults.set("api_throttled", value=True)
    assert ask(wire, *READS[-1])


@each_service
def test_silence_is_a_read_timeout(wire, virtual, service, operation, given):
    virtual.faults.set("api_silent", [service])
    with pytest.raises(ReadTimeoutError):
        ask(wire, service, operation, given)


def test_a_lost_answer_is_a_closed_connection_and_the_write_is_there(wire, virtual):
    virtual.faults.set("api_answer_lost", ["ecs:UpdateService"])
    with pytest.raises(ConnectionClosedError):
        wire.client("ecs").update_service(cluster="apis", service="checkout", desiredCount=2)
    assert virtual.world.applications["checkout"].service.desired == 2
    assert wire.endpoint.log.writes[-1].ok, "it is in the lab's record, whatever the client heard"


def test_a_silent_call_is_in_the_record_as_one_that_did_nothing(wire, virtual):
    virtual.faults.set("api_silent", ["ecs"])
    with pytest.raises(ReadTimeoutError):
        wire.client("ecs").update_service(cluster="apis", service="checkout", desiredCount=2)
    assert [write.ok for write in wire.endpoint.log.writes] == [False]


def test_a_slow_api_answers_late_errors_too(wire, virtual):
    virtual.faults.set("api_latency", 2)
    ask(wire, *READS[0])
    assert wire.delay == 2
    virtual.faults.set("api_outage", ["ecs"])
    refusal(wire, *READS[0])
    assert wire.delay == 2
    virtual.faults.clear()
    ask(wire, *READS[0])
    assert wire.delay == 0


def test_boto3_tries_again_what_is_throttled_or_down(virtual):
    """boto3 guide, "Retries": standard mode retries 503 and throttling errors."""
    for switch, value in (("api_outage", ["ecs"]), ("api_throttled", True)):
        wire = Wire(virtual)
        virtual.faults.set(switch, value)
        client = wire.client("ecs", retries={"mode": "standard", "total_max_attempts": 2})
        with pytest.raises(ClientError):
            client.list_tasks(cluster="apis")
        assert wire.endpoint.log.by_action == {"ecs:ListTasks": 2}
        virtual.faults.clear()
