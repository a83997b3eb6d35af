"""The switches on real processes: what a broken task and a broken function look like through real HTTP.

ECS Developer Guide, "Service event messages" and "Amazon ECS task lifecycle"; Application Load Balancers guide,
"Health checks for target groups", "Sticky sessions" and "Troubleshoot your Application Load Balancers".
"""

import asyncio
import time
from contextlib import asynccontextmanager

import aiohttp
import pytest

from lab import accidents
from lab.running import Lab, claim, listen
from lab.worldfile import load

pytestmark = pytest.mark.lab

WORLD = """
node_delays_seconds = [0, 0]

[applications.checkout]
stickiness_seconds = 60

[applications.checkout.function]
reserved_concurrency = 5
health_check = true
health_check_path = "/pong"
health_check_interval_seconds = 0.5
health_check_timeout_seconds = 3
healthy_threshold = 1
unhealthy_threshold = 1

[applications.checkout.task]
provisioning_seconds = 0
pending_seconds = 2
health_check_interval_seconds = 0.3
health_check_timeout_seconds = 1
health_check_grace_seconds = 2
stop_timeout_seconds = 2
deregistration_delay_seconds = 0
circuit_breaker = false
"""


@asynccontextmanager
async def running(directory):
    """A lab of real processes in this process, so that its world can be turned and looked at."""
    async with started(directory, WORLD) as (lab, described):
        moving = asyncio.create_task(lab.run())
        yield lab.cloud.home("checkout"), described["applications"]["checkout"]["urls"][0]
        moving.cancel()


@asynccontextmanager
async def started(directory, world):
    """A lab that nothing moves yet, and its description."""
    (directory / "world.toml").write_text(world, encoding="utf-8")
    state = directory / "state"
    with claim(state), listen(0) as listening:
        lab = Lab(load(directory / "world.toml"), listening, state)
        try:
            yield lab, await lab.start()
        finally:
            await lab.close()


async def until(condition, what, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        await asyncio.sleep(0.05)


async def statuses(url, count, path="/bang"):
    async with aiohttp.ClientSession() as client:
        found = []
        for _ in range(count):
            async with client.get(url + path) as answer:
                found.append(answer.status)
        return found


def test_broken_tasks_never_carry_traffic_and_mended_ones_do(tmp_path):
    """A container that ends while PENDING was never RUNNING; one that answers its checks too late is unhealthy and
    replaced; one that dies on traffic is answered 502."""

    async def scenario():
        async with running(tmp_path) as (world, url):
            application = world.applications["checkout"]
            service, group = application.service, application.ecs_group
            world.faults.set("tasks_do_not_start", True)
            accidents.set_desired_count(world, "checkout", time.time(), count=1)
            await until(lambda: any(not task.lives for task in service.tasks.values()), "a task that ended")
            assert {task.started for task in service.tasks.values()} == {None}
            world.faults.set("tasks_do_not_start", None)
            world.faults.set("tasks_never_healthy", True)
            await until(lambda: any("is unhealthy in" in event.message for event in service.events), "an unhealthy one")
            assert group.count("healthy") == 0
            world.faults.set("tasks_never_healthy", None)
            await until(lambda: group.count("healthy") == 1, "a healthy one")
            accidents.set_weights(world, "checkout", time.time(), lambda_=0, ecs=1)
            world.faults.set("tasks_die_on_traffic", 5)
            await until(lambda: application.load_balancer.nodes["a"].coming == [], "the weights")
            assert await statuses(url, 1) == [200]
            seen = []
            while 502 not in seen and len(seen) < 500:
                seen += await statuses(url, 10)
            assert {502, 503} & set(seen)

    asyncio.run(scenario())


def test_a_broken_function_is_502_and_unhealthy_by_its_own_checks(tmp_path):
    """Health checks of a function are invocations; one that fails is a 502 for users and for the checks."""

    async def scenario():
        async with running(tmp_path) as (world, url):
            group = world.applications["checkout"].lambda_group
            await until(lambda: group.count("healthy") == 1, "a healthy function")
            assert await statuses(url, 4) == [200] * 4
            world.faults.set("function_errors", 100)
            assert await statuses(url, 4) == [502] * 4
            await until(lambda: group.count("unhealthy") == 1, "an unhealthy function")
            world.faults.set("function_errors", None)
            await until(lambda: group.count("healthy") == 1, "a healthy function again")

    asyncio.run(scenario())


def test_a_sticky_client_stays_with_its_group(tmp_path):
    """Target group stickiness: the cookie AWSALBTG comes with the first answer; assumed to hold at weight 0."""

    async def scenario():
        async with running(tmp_path) as (world, url), aiohttp.ClientSession() as client:
            async with client.get(f"{url}/env") as answer:
                cookie = answer.cookies["AWSALBTG"]
            accidents.set_weights(world, "checkout", time.time(), lambda_=0, ecs=1)
            await until(lambda: world.applications["checkout"].load_balancer.nodes["a"].coming == [], "the weights")
            headers = {"Cookie": f"AWSALBTG={cookie.value}"}
            async with client.get(f"{url}/env", headers=headers) as answer:
                kept = (answer.status, answer.headers["X-Lab-Pool"])
            async with client.get(f"{url}/env") as answer:
                other = (answer.status, answer.headers["X-Lab-Pool"])
            return kept, other

    assert asyncio.run(scenario()) == ((200, "lambda"), (503, "ecs"))


SCENARIO = 'title = "A title"\nstory = "A story."\n[[steps]]\nafter_seconds = 60\n[end]\n'


def test_what_fails_while_a_scenario_is_played_ends_the_scenario_and_otherwise_the_lab(tmp_path, monkeypatch):
    """The lab's own."""

    async def scenario():
        async with started(tmp_path, "[applications.checkout.function]\nwarm_environments = 0\n") as (lab, _):
            lab.stage.play({"toml": SCENARIO}, time.time())
            original, failures = lab.cloud.advance, iter([ValueError("broken")])

            def advance(now):
                for failure in failures:
                    raise failure
                original(now)

            monkeypatch.setattr(lab.cloud, "advance", advance)
            moving = asyncio.create_task(lab.run())
            await until(lambda: lab.stage.shown()["scenario"]["ended"], "the end of the scenario")
            assert lab.stage.shown()["scenario"]["told"][-1]["detail"] == "ValueError: broken"
            assert not moving.done()
            failures = iter([ValueError("broken again")])
            with pytest.raises(ValueError, match="broken again"):
                await moving

    asyncio.run(scenario())
