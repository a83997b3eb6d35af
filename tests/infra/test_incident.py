"""A whole failover and failback on what the templates made, under the policies that the templates grant."""

from tests.infra.conftest import KEY, configuration
from tests.infra.incident import Incident, play


def test_the_panels_role_moves_traffic_to_ecs_and_back(application, connected, lab, aws):
    incident = Incident(lab, configuration(application.stack))
    play(incident)
    assert incident.weights[1] == 0
    assert incident.found.service.desired == 0
    assert lab.world.scalable_targets.by_resource["service/checkout/checkout"].minimum == 0
    on_ecs = {status for (pool, status) in lab.flows["checkout"].answered if pool == "ecs"}
    assert on_ecs == {200}
    headers, events = zip(*incident.delivered, strict=True)
    assert {each["X-Api-Key"] for each in headers} == {KEY}
    assert {"CloudWatch Alarm State Change", "ECS Task State Change"} <= {each["detail-type"] for each in events}
