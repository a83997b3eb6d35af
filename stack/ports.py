"""Which loopback ports to use."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack, closing

from stack.settings import SettingsError

_FIRST_PORT = 8000
_PORTS_TO_TRY = 100


def panel_port(environ: Mapping[str, str]) -> int:
    """PORT if it is set; else 8000 or the next free one.

    Raises SettingsError if PORT is no port or is taken: somebody who names a port wants that one.
    """
    if not environ.get("PORT"):
        return _next_free(_FIRST_PORT)
    text = environ["PORT"]
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 65535):
        raise SettingsError(f"PORT is {text!r}: give a number from 1 to 65535.")
    if not _is_free(int(text)):
        raise SettingsError(f"PORT is {text}, and another program listens there: end it, or leave PORT unset.")
    return int(text)


def free_ports(count: int) -> list[int]:
    """So many different free ports; all are held until the last is found."""
    with ExitStack() as held:
        sockets = [held.enter_context(closing(socket.create_server(("127.0.0.1", 0)))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def _next_free(first: int) -> int:
    for port in range(first, first + _PORTS_TO_TRY):
        if _is_free(port):
            return port
    raise SettingsError(f"Ports {first} to {first + _PORTS_TO_TRY - 1} are all taken: set PORT to a free one.")


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
