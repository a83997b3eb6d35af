"""How environments start: Lambda Developer Guide, "Lambda execution environment lifecycle"."""

import asyncio
import time

import pytest

from lab.lambda_ import FunctionSettings
from lab.runtime import children, environments
from lab.runtime.environments import MOST_STARTING, EnvironmentProcesses, FunctionError
from lab.start_throttle import TOLERATED_FAILURES

pytestmark = pytest.mark.lab

EVENT = b'{"httpMethod": "GET", "path": "/env", "headers": {}, "requestContext": {"elb": {}}, "body": ""}'


def function(name="checkout", **variables):
    arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
    return FunctionSettings(name, arn, timeout=29, idle_seconds=900, variables=variables)


@pytest.fixture
def started(monkeypatch):
    """Every process that is started."""
    processes, original = [], children.start

    def start(*arguments):
        processes.append(original(*arguments))
        return processes[-1]

    monkeypatch.setattr(children, "start", start)
    return processes


def play(tmp_path, scenario, clock=time.time):
    """With environments that are watched as the lab does."""

    async def within():
        processes = EnvironmentProcesses(tmp_path, clock)
        watching = asyncio.create_task(watch(processes))
        try:
            await scenario(processes)
        finally:
            watching.cancel()
            await processes.close()

    asyncio.run(within())


async def watch(processes):
    while True:
        processes.watch()
        await asyncio.sleep(0.02)


async def invoke(processes, name, settings):
    processes.start(name, settings)
    try:
        return await processes.invoke(name, EVENT, settings.timeout)
    finally:
        processes.stop(name)


def test_an_environment_that_dies_at_init_fails_its_invocation_and_is_not_started_in_a_hot_loop(tmp_path, started):
    """On AWS each invocation is answered with the error. How often the start is tried is the lab's own."""
    now = 0.0

    async def fail(processes, times):
        for _ in range(times):
            with pytest.raises(FunctionError):
                await invoke(processes, "broken", function(SLEEP_SECONDS="soon"))
        return len(started)

    async def scenario(processes):
        nonlocal now
        assert await fail(processes, TOLERATED_FAILURES + 20) == TOLERATED_FAILURES
        now = 1.0
        assert await fail(processes, 20) == TOLERATED_FAILURES + 1
        now = 2.0
        assert await fail(processes, 20) == TOLERATED_FAILURES + 1
        now = 3.0
        assert b"200" in await invoke(processes, "mended", function())
        assert await fail(processes, 1) == TOLERATED_FAILURES + 3

    play(tmp_path, scenario, clock=lambda: now)


def test_another_functions_environments_start_all_the_same(tmp_path):
    async def scenario(processes):
        for _ in range(TOLERATED_FAILURES + 1):
            with pytest.raises(FunctionError):
                await invoke(processes, "broken", function(SLEEP_SECONDS="soon"))
        assert b"200" in await invoke(processes, "whole", function("search"))

    play(tmp_path, scenario, clock=lambda: 0.0)


def test_a_few_start_at_a_time_and_all_get_their_turn(tmp_path, started):
    """The lab's own: its machine is one, AWS's are many."""
    names = [f"environment {number}" for number in range(MOST_STARTING + 4)]

    async def scenario(processes):
        for name in names:
            processes.start(name, function())
        assert len(started) == MOST_STARTING
        await processes.wait_polling(time.time() + 60)
        assert len(started) == len(names)

    play(tmp_path, scenario)


def test_one_that_is_not_ready_in_time_is_given_up_and_counts_as_failed(tmp_path, started, monkeypatch):
    """The init phase is limited to 10 seconds."""
    monkeypatch.setattr(environments, "INIT_SECONDS", 0.001)

    async def scenario(processes):
        for number in range(TOLERATED_FAILURES):
            with pytest.raises(TimeoutError):
                await invoke(processes, str(number), function())
        assert all(each.wait(5) for each in started)
        with pytest.raises(FunctionError):
            await invoke(processes, "one more", function())

    play(tmp_path, scenario, clock=lambda: 0.0)


def test_none_starts_any_more_while_the_lab_ends(tmp_path, started):
    async def scenario(processes):
        await processes.close()
        processes.start("late", function())
        assert started == []

    play(tmp_path, scenario)
