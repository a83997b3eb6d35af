"""The load tests as people run them: against the lab, through an incident; their figures are those of the lab."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from api_service.app import app
from tests.load.conftest import USERS, Figures, Incident
from tests.load.tools import jmeter, k6

HERE = Path(__file__).parent
JMX, K6 = HERE / "failover.jmx", HERE / "failover.js"
ROUTES = {route.path for route in app.routes}  # type: ignore[attr-defined]
PROPERTIES = {"protocol", "host", "port", "threads", "ramp", "duration", "pause"}
DOCUMENT = (HERE.parents[1] / "docs" / "load-test.md").read_text(encoding="utf-8")


def test_both_ask_for_every_route_of_the_api() -> None:
    plan = ET.parse(JMX)
    groups = {group.get("testname") for group in plan.iter("ThreadGroup")}
    asked = {each.text for each in plan.iter("stringProp") if each.get("name") == "HTTPSampler.path"}
    assert groups == asked == ROUTES
    assert set(re.findall(r'path: "([^"]+)"', K6.read_text(encoding="utf-8"))) == ROUTES


def test_both_take_the_same_settings_and_the_document_has_them() -> None:
    plan, script = JMX.read_text(encoding="utf-8"), K6.read_text(encoding="utf-8")
    in_plan = {name for name in re.findall(r"\$\{__P\((\w+),", plan) if not name.endswith("_threads")}
    in_script = {name.lower() for name in re.findall(r'given\("(\w+)"', script)}
    assert in_plan == in_script == PROPERTIES
    assert {name for name in PROPERTIES if f"`{name}`" not in DOCUMENT} == set()


def test_the_plan_shows_a_table_and_an_aggregate_graph() -> None:
    shown = {each.get("guiclass") for each in ET.parse(JMX).iter("ResultCollector")}
    assert shown == {"TableVisualizer", "StatGraphVisualizer"}


def agrees(seen: Figures, incident: Incident) -> None:
    """With what the load balancer itself has counted, request for request."""
    recorded = incident.record()
    assert incident.pools() >= {"lambda", "ecs"}, "the load ended before traffic had moved"
    assert recorded.failed > 0
    assert seen == recorded
    assert seen.error_percent == pytest.approx(recorded.error_percent, abs=0.01)


@pytest.mark.full
@pytest.mark.lab
@pytest.mark.timeout(300)
def test_jmeters_report_of_an_incident_agrees_with_the_labs_record(incident: Incident, tmp_path: Path) -> None:
    settings = {**USERS, "host": incident.host, "port": incident.port}
    results, report = tmp_path / "results.jtl", tmp_path / "report"
    command = [jmeter(), "-n", "-t", JMX, "-l", results, "-e", "-o", report, "-j", tmp_path / "jmeter.log"]
    incident.during([*command, *(f"-J{name}={value}" for name, value in settings.items())])
    total = json.loads((report / "statistics.json").read_text(encoding="utf-8"))["Total"]
    seen = Figures(total["sampleCount"], total["errorCount"])
    agrees(seen, incident)
    assert total["errorPct"] == pytest.approx(seen.error_percent, abs=0.01)
    with results.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["label"] for row in rows} == {f"GET {path}" for path in ROUTES}
    last = max(int(row["timeStamp"]) for row in rows)
    assert {row["success"] for row in rows if int(row["timeStamp"]) > last - 2000} == {"true"}, "ECS loses requests"


@pytest.mark.full
@pytest.mark.lab
@pytest.mark.timeout(300)
def test_k6s_summary_of_an_incident_agrees_with_the_labs_record(incident: Incident, tmp_path: Path) -> None:
    settings = {**USERS, "host": incident.host, "port": incident.port}
    given = [word for name, value in settings.items() for word in ("-e", f"{name.upper()}={value}")]
    summary = tmp_path / "summary.json"
    said = incident.during([k6(), "run", "--quiet", "--no-usage-report", "--summary-export", summary, *given, K6])
    metrics = json.loads(summary.read_text(encoding="utf-8"))["metrics"]
    # Of http_req_failed, "passes" are those of which it is true.
    agrees(Figures(metrics["http_reqs"]["count"], metrics["http_req_failed"]["passes"]), incident)
    assert metrics["checks"]["fails"] == metrics["http_req_failed"]["passes"]
    for name in ("root", "bang", "pong", "sleep", "env"):
        assert f"scenario:{name}" in said
