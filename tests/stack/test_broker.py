"""The broker, asked as a client would."""

import asyncio
import socket
from pathlib import Path

import pytest
import redis

from stack import broker as broker_module
from stack.broker import broker
from stack.ports import free_ports
from stack.screen import Screen
from stack.settings import SettingsError
from stack.supervisor import Supervisor, supervise


def test_it_is_ready_on_loopback_and_never_drops_a_task(tmp_path: Path) -> None:
    [port] = free_ports(1)
    seen: dict[str, object] = {}

    async def work(supervisor: Supervisor) -> int:
        await supervisor.start(broker(port, tmp_path / "broker"))
        client = redis.Redis(port=port, decode_responses=True)
        seen.update(client.config_get("maxmemory-policy"), **client.config_get("save"), **client.config_get("bind"))
        client.close()
        return 0

    assert asyncio.run(supervise(work, tmp_path, Screen(1, colour=False, verbose=False))) == 0
    assert seen == {"maxmemory-policy": "noeviction", "save": "", "bind": "127.0.0.1"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_without_a_server_for_this_platform_it_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match="set REDIS_URL"):
        broker(1, tmp_path)
