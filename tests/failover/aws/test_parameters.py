"""Configuration from the Parameter Store. Systems Manager API reference, GetParameter: a SecureString comes as
ciphertext unless WithDecryption is set; a name that does not exist answers ParameterNotFound.
"""

import boto3
import pytest
from botocore.stub import Stubber

from failover.aws import parameters
from failover.ports import AwsError


@pytest.fixture
def ssm(monkeypatch):
    client = boto3.client("ssm", region_name="sa-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(parameters.boto3, "client", lambda *_, **__: client)
    with Stubber(client) as stubber:
        yield stubber


def test_a_parameter_is_read_decrypted(ssm):
    asked = {"Name": "/apis/checkout", "WithDecryption": True}
    ssm.add_response("get_parameter", {"Parameter": {"Value": "[application]"}}, asked)
    assert parameters.read_parameter("/apis/checkout") == "[application]"


@pytest.mark.parametrize(
    ("code", "kind", "remedy"),
    [("ParameterNotFound", "missing", "Check that /x exists"), ("AccessDeniedException", "denied", "ssm:GetParameter")],
)
def test_a_parameter_that_can_not_be_read_says_what_to_do(ssm, code, kind, remedy):
    ssm.add_client_error("get_parameter", code, "no", 400)
    with pytest.raises(AwsError) as caught:
        parameters.read_parameter("/x")
    assert caught.value.kind == kind
    assert remedy in caught.value.remedy
