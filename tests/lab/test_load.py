"""The load generator: a steady rate, a fixed mix, and a truthful record."""

import asyncio
from collections import Counter
from itertools import islice, pairwise

import pytest
from aiohttp import web

from lab.load import DEFAULT_MIX, Load, interleave, main, percentile


def test_the_mix_is_spread_evenly_and_always_the_same():
    paths = list(islice(interleave(DEFAULT_MIX), 500))
    assert paths == list(islice(interleave(DEFAULT_MIX), 500))
    assert Counter(paths) == {"/bang": 165, "/pong": 165, "/env": 160, "/sleep": 10}
    sleeps = [index for index, path in enumerate(paths) if path == "/sleep"]
    assert all(40 < later - earlier < 60 for earlier, later in pairwise(sleeps)), sleeps


@pytest.mark.parametrize(("percent", "expected"), [(50, 2), (95, 4), (100, 4)])
def test_percentile(percent, expected):
    assert percentile([4, 1, 3, 2], percent) == expected


def test_percentile_of_nothing_is_nothing():
    assert percentile([], 95) == 0


async def _with_servers(handler, scenario):
    """Two servers that call ``handler``, while ``scenario`` runs with their addresses."""
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    sites = [web.TCPSite(runner, "127.0.0.1", 0) for _ in range(2)]
    for site in sites:
        await site.start()
    try:
        return await scenario([f"http://127.0.0.1:{port}" for _, port in runner.addresses])
    finally:
        await runner.cleanup()


async def _until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the load has no event to wait for
            await asyncio.sleep(0.01)


def test_arrivals_do_not_wait_for_answers():
    """Open loop: sixty requests are under way although none is answered; ``stop`` waits for them."""
    release = asyncio.Event()

    async def handler(_request):
        await release.wait()
        return web.Response(text="late")

    async def scenario(urls):
        load = Load(urls, rate=200)
        load.start()
        await _until(lambda: load.in_flight >= 60)
        assert load.records == []
        release.set()
        await load.stop()
        return load

    load = asyncio.run(_with_servers(handler, scenario))
    assert load.in_flight == 0
    assert len(load.records) >= 60
    assert all(record.ok for record in load.records)


def test_a_record_tells_status_pool_node_and_error():
    async def handler(request):
        return web.Response(status=502, headers={"X-Lab-Pool": "lambda", "X-Lab-Node": "b"})

    async def scenario(urls):
        load = Load([urls[0], "http://127.0.0.1:9"], rate=100)  # nothing listens on the discard port
        load.start()
        await _until(lambda: len(load.records) >= 10)
        await load.stop()
        return load.records

    records = asyncio.run(_with_servers(handler, scenario))
    answered = [record for record in records if record.status]
    refused = [record for record in records if not record.status]
    assert abs(len(answered) - len(refused)) <= 1, "the addresses take turns"
    assert {(record.status, record.pool, record.node, record.ok) for record in answered} == {
        (502, "lambda", "b", False)
    }
    assert all(record.error and not record.ok for record in refused)


def test_the_rate_can_change_while_it_runs():
    async def handler(_request):
        return web.Response()

    async def scenario(urls):
        load = Load(urls, rate=0)
        load.start()
        await asyncio.sleep(0.2)
        silent = len(load.records)
        load.rate = 200
        await _until(lambda: len(load.records) >= 20)
        await load.stop()
        return silent

    assert asyncio.run(_with_servers(handler, scenario)) == 0


@pytest.mark.parametrize("option", ["--rate", "--surge"])
@pytest.mark.parametrize("rate", ["1001", "-1", "nan", "inf"])
def test_a_rate_that_cannot_be_sent_is_one_sentence(capsys, option, rate):
    with pytest.raises(SystemExit):
        main([option, rate])
    assert f"{rate} is not 0 to 1000 requests a second" in capsys.readouterr().err
