"""Where requests to addresses that people typed may go: one judgement for the panel, the command line and the Lambda.

Private networks may be asked, because internal load balancers live there. To resolve the name once, and to connect to
the very address that was judged, is up to the caller.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

# What VPCs are made of.
PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
# Where clouds answer with credentials outside of the link-local networks: AWS over IPv6 (of instances at ::254, of
# EKS pods at ::23), Google over IPv6, Alibaba, Azure, Oracle.
METADATA = tuple(map(ip_network, ("fd00:ec2::/32", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")))
# The IPv4 address is in the last four bytes: https://www.rfc-editor.org/rfc/rfc6052, and rfc8215.
TRANSLATED = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48")))


def meant(address: str) -> Address:
    """What a resolver's answer leads to: the IPv4 address within an IPv6 one, where it is such a one."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv4Address):
        return ip
    if any(ip in network for network in TRANSLATED):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def spoken_against(ip: Address, *, own_machine: bool = False) -> str:
    """What an address that must not be asked is, such as "a link-local address"; "" where it may be.

    `own_machine`: loopback may be asked, for whoever sends from where the asked service may run.
    """
    if own_machine and ip.is_loopback:
        return ""
    public = ip.is_global and not (ip.is_multicast or ip.is_reserved)  # is_global alone lets multicast through
    private = any(ip in network for network in PRIVATE)
    return "" if (public or private) and not _is_metadata(ip) else _kind(ip)


def _is_metadata(ip: Address) -> bool:
    return any(ip in network for network in METADATA)


def _kind(ip: Address) -> str:
    if ip.is_loopback or ip.is_unspecified:
        return "this machine itself"
    if _is_metadata(ip) or str(ip) == "169.254.169.254":
        return "a cloud's metadata service"
    if ip.is_link_local:
        return "a link-local address"
    return "a multicast address" if ip.is_multicast else "a reserved address"
