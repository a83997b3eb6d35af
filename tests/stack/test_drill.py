"""A rehearsal and a whole drill by the real panel on the real lab, under traffic, asked for by the API."""

import asyncio
import http.client
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lab.traffic import Traffic
from stack.product import Product, forget_foreign_settings, manage, start_product
from stack.run import plan_panel
from stack.screen import Screen
from stack.supervisor import Supervisor, supervise
from stack.traffic import ASIDE

SLUG = "payments"
PATIENCE = 300.0
MOST_UNANSWERED = 0.05


class Api:
    def __init__(self, url: str, token: str) -> None:
        self._host, self._token = urlsplit(url).netloc, token

    def ask(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection(self._host, timeout=10)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        connection.request(method, f"/api/v1{path}", json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read() or b"{}")
        connection.close()
        assert answer.status < 300, told
        return told

    def until(self, path: str, reached: Any, what: str) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not reached(told := self.ask("GET", path)):
            assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what}: {told}"
            time.sleep(1)
        return told


def drilled(api: Api, kind: str) -> tuple[Any, list[Any]]:
    """The drill as it ended, and its operations."""
    started = api.ask("POST", "/drills", {"application": SLUG, "kind": kind, "reason": f"a whole {kind}"})
    ended = api.until(f"/drills/{started['id']}", lambda told: told["finished_at"], f"the {kind} to end")
    return ended, [api.ask("GET", f"/operations/{pk}") for pk in ended["operations"]]


@pytest.fixture
def surroundings() -> Iterator[None]:
    """Nothing of the caller's settings reaches the product, and all of them are there again afterwards."""
    before = dict(os.environ)
    forget_foreign_settings()
    yield
    os.environ.update(before)


@pytest.mark.full
@pytest.mark.lab
@pytest.mark.timeout(900)
def test_a_rehearsal_and_a_drill_succeed_under_traffic(tmp_path: Path, surroundings: None) -> None:
    plan, figures = plan_panel({}, tmp_path), dict[str, Any]()

    async def work(supervisor: Supervisor) -> int:
        product = await start_product(supervisor, tmp_path, plan)
        make_token = manage("create_api_token", "drill", "--role", "operator")
        token = await supervisor.run("create_api_token", make_token, product.panel.env)
        figures.update(await judge(product, Api(product.panel.url, token.strip())))
        return 0

    with (tmp_path / "screen").open("wb") as screen:
        work_done = supervise(work, tmp_path / "log", Screen(screen.fileno(), colour=False, verbose=False))
        assert asyncio.run(work_done) == 0, (tmp_path / "screen").read_text()[-3000:]
    (tmp_path / "drill.json").write_text(json.dumps(figures, indent=2))


async def judge(product: Product, api: Api) -> dict[str, Any]:
    """What was measured."""
    traffic = Traffic(product.lab.application(SLUG).urls)
    traffic.start()
    traffic.set(**ASIDE)
    fits = lambda told: told["data_age_seconds"] is not None and told["position"] == "lambda"  # noqa: E731
    await asyncio.to_thread(api.until, f"/applications/{SLUG}", fits, "AWS to be read")
    await asyncio.sleep(15)  # of traffic, so that Lambda's time per request is known
    rehearsal, (asked, stopped) = await asyncio.to_thread(drilled, api, "rehearsal")
    assert (rehearsal["outcome"], rehearsal["told"]) == ("succeeded", ""), rehearsal
    assert not any("Weights" in entry["message"] and entry["kind"] == "call" for entry in asked["journal"])
    assert stopped["status"] == "succeeded"

    drill, (there, back) = await asyncio.to_thread(drilled, api, "drill")
    await traffic.stop()
    assert (drill["outcome"], drill["told"]) == ("succeeded", ""), drill
    assert 0 < drill["seconds"]["recovery"] < 120
    after = api.ask("GET", f"/applications/{SLUG}")
    assert (after["position"], after["ecs"]["desired"]) == ("lambda", 0)
    for operation in (there, back):
        probe = operation["probe"]
        assert probe["sent"] > 5, probe
        assert probe["failed"] == probe["unanswered"], "no request got an error"
        # The panel's and the lab's twenty processes share this machine: where it has no core to spare, a probe that is
        # sent late ends at its time-out whatever the API does. That is seldom, and stands in the figures.
        assert probe["unanswered"] <= probe["sent"] * MOST_UNANSWERED, probe
        assert set(probe["by_pool"]) - {"unknown"} == {"lambda", "ecs"}
        unsigned = probe["by_pool"].get("unknown", {"sent": 0})["sent"]
        assert unsigned == probe["unanswered"], "each answer names its pool"
    probes = [there["probe"], back["probe"]]
    return {"rehearsal": rehearsal["seconds"], "drill": drill["seconds"], "probes": probes}
