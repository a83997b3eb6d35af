import socket
from collections.abc import Iterator

import pytest

from stack.ports import free_ports, panel_port
from stack.settings import SettingsError


@pytest.fixture
def occupied() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        yield occupant.getsockname()[1]


def test_a_port_that_is_named_is_taken() -> None:
    [port] = free_ports(1)
    assert panel_port({"PORT": str(port)}) == port


def test_a_port_that_is_named_and_occupied_is_refused(occupied: int) -> None:
    with pytest.raises(SettingsError, match=rf"PORT is {occupied}, and another program listens there"):
        panel_port({"PORT": str(occupied)})


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "٣"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"PORT is .*from 1 to 65535"):
        panel_port({"PORT": text})


def test_without_a_name_it_is_8000_or_the_next_free_one() -> None:
    first = panel_port({})
    assert first >= 8000
    with socket.create_server(("127.0.0.1", first)):
        assert panel_port({"PORT": ""}) > first, "an occupied port was chosen"


def test_free_ports_differ_and_can_be_bound() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()
