"""Every operation's output against AWS's own service models, and over the wire and back.

The models are botocore's, which AWS generates its SDKs from: members, types, required members and enumerations.
"""

from datetime import datetime

import pytest
from botocore import xform_name
from botocore.model import ListShape, MapShape, StructureShape
from botocore.session import get_session
from botocore.validate import ParamValidator

from lab import api
from lab.virtual import VirtualLab
from lab.worldfile import load
from tests.lab.conftest import WORLD
from tests.lab.on_virtual import LOADER, Wire
from tests.lab.wire.calls import inputs, prepare

OPERATIONS = sorted((service, name) for service, names in api.answered().items() for name in names)


@pytest.fixture
def virtual(tmp_path):
    """The tests' world with health checks as slow as a load balancer's are: every 5 s and 2 s long at the least."""
    checks = "health_check_interval_seconds = 5\nhealth_check_timeout_seconds = 2"
    text = WORLD.replace("health_check_interval_seconds = 0.3\nhealth_check_timeout_seconds = 1", checks)
    (tmp_path / "world.toml").write_text(f"{text}\n[applications.narrow.task]\n{checks}")
    return VirtualLab(load(tmp_path / "world.toml"))


@pytest.fixture
def busy(virtual):
    """Two tasks, one that was stopped, traffic, an alarm with a history, an item in the table."""
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=3)
    virtual.run(10, "checkout", rate=5)
    virtual.call("ecs", "UpdateService", cluster="apis", service="checkout", desiredCount=2)
    virtual.run(20, "checkout", rate=5)
    given = inputs(virtual)
    for call in (("dynamodb", "PutItem"), ("cloudwatch", "SetAlarmState"), ("cloudwatch", "PutAlarmMuteRule")):
        virtual.call(*call, **given[call])
    return virtual


def model(service, name):
    core = get_session()
    core.register_component("data_loader", LOADER)
    return core.get_service_model(service).operation_model(name)


def present(value):
    """Without the members that are None, which never reach the wire."""
    if isinstance(value, dict):
        return {key: present(each) for key, each in value.items() if each is not None}
    return [present(each) for each in value] if isinstance(value, list | tuple) else value


def outside_of_enumerations(shape, value):
    match shape:
        case StructureShape():
            for name, each in value.items():
                yield from outside_of_enumerations(shape.members[name], each)
        case ListShape():
            for each in value:
                yield from outside_of_enumerations(shape.member, each)
        case MapShape():
            for each in value.values():
                yield from outside_of_enumerations(shape.value, each)
        case _ if getattr(shape, "enum", None) and value not in shape.enum:
            yield shape.name, value


def test_every_operation_has_an_input_here(busy):
    assert sorted(inputs(busy)) == OPERATIONS


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_an_output_is_of_its_shape(busy, service, name):
    prepare(busy, (service, name))
    shape = model(service, name).output_shape
    output = present(busy.call(service, name, **inputs(busy)[service, name]))
    if shape is None:
        assert output == {}
        return
    report = ParamValidator().validate(output, shape)
    assert not report.has_errors(), report.generate_report()
    assert list(outside_of_enumerations(shape, output)) == []


def plain(value):
    """What boto3 read, with times as the lab has them."""
    if isinstance(value, datetime):
        return pytest.approx(value.timestamp(), abs=0.001)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key != "ResponseMetadata"}
    return [plain(each) for each in value] if isinstance(value, list) else value


# AssumeRole gives another key each time; what was deregistered cannot be so again, nor what was created.
ONCE = ("AssumeRole", "DeregisterScalableTarget", "RegisterTaskDefinition")


@pytest.mark.parametrize(
    ("service", "name"), [each for each in OPERATIONS if each[1] not in ONCE and not each[1].startswith("Create")]
)
def test_what_the_lab_says_is_what_boto3_reads(busy, service, name):
    prepare(busy, (service, name))
    given = inputs(busy)[service, name]
    client = Wire(busy).client(service)
    read = getattr(client, xform_name(name))(**given)
    assert read["ResponseMetadata"]["RequestId"]
    if name in {"PutItem", "DeleteItem", "UpdateItem"}:
        return
    assert present(busy.call(service, name, **given)) == plain(read)
