"""The container entry: `python -m api_service` serves on HOST and PORT until SIGTERM."""

import os
import signal
import socket
import sys

import uvicorn

from api_service.settings import Settings, SettingsError, from_environ

# Longer than an ALB's idle time-out of 60 s: were ours shorter, the load balancer could send a request down a
# connection that we are just closing, and answer 502.
KEEP_ALIVE_SECONDS = 75


def main() -> int:
    """Serve; returns the exit status: 0 after SIGTERM or Ctrl-C, 1 if the port is taken, 2 for a bad variable."""
    for ending in (signal.SIGTERM, signal.SIGINT):
        # uvicorn lets requests in flight finish and then raises the signal again: end with 0, not by the signal.
        signal.signal(ending, lambda *_: sys.exit(0))
    try:
        settings = from_environ(os.environ)
        listener = _listen(settings)
    except SettingsError as error:
        return _complain(str(error), 2)
    except OSError as error:
        return _complain(
            f"Can't listen on {settings.host} port {settings.port}: {error.strerror}. Set HOST or PORT.", 1
        )
    _serve(listener)
    return 0


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Naming TCP makes asyncio switch off Nagle's algorithm, which would hold back an answer's body by 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    listener.listen()
    return listener


def _serve(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    print(f"Serving the API on {host} port {port}.", flush=True)  # noqa: T201 - the operator's line
    # No access log: the load balancer keeps one.
    config = uvicorn.Config(
        "api_service.app:app", lifespan="off", timeout_keep_alive=KEEP_ALIVE_SECONDS, access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])


def _complain(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - the operator's line
    return status


if __name__ == "__main__":
    sys.exit(main())
