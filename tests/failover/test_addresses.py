"""Where requests to typed addresses may go, as everybody who sends them judges it."""

import pytest

from failover.addresses import meant, spoken_against

LOOPBACK = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "2002:7f00:1::"]
NEVER = {
    "169.254.169.254": "a cloud's metadata service",
    "::ffff:169.254.169.254": "a cloud's metadata service",
    "64:ff9b::a9fe:a9fe": "a cloud's metadata service",
    "fd00:ec2::254": "a cloud's metadata service",
    "100.100.100.200": "a cloud's metadata service",
    "169.254.170.2": "a link-local address",
    "fe80::1%eth0": "a link-local address",
    "0.0.0.0": "this machine itself",
    "224.0.0.1": "a multicast address",
    "240.0.0.1": "a reserved address",
}


@pytest.mark.parametrize("own_machine", [False, True])
@pytest.mark.parametrize("address", NEVER)
def test_what_hands_out_credentials_or_is_no_host_is_asked_by_nobody(address: str, own_machine: bool) -> None:
    assert spoken_against(meant(address), own_machine=own_machine) == NEVER[address]


@pytest.mark.parametrize("address", LOOPBACK)
def test_loopback_may_be_asked_by_whoever_says_so_alone(address: str) -> None:
    assert spoken_against(meant(address)) == "this machine itself"
    assert spoken_against(meant(address), own_machine=True) == ""


@pytest.mark.parametrize("address", ["10.1.2.3", "172.16.0.9", "192.168.1.1", "100.64.3.3", "fd12::7", "8.8.8.8"])
def test_private_networks_may_be_asked_since_load_balancers_live_there(address: str) -> None:
    assert spoken_against(meant(address)) == ""
