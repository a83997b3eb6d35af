"""`python -m api_service.healthy`: exit status 0 where the API answers. Not asked at `/`: it may be slow on purpose."""

import http.client
import os
import sys

from api_service.settings import SettingsError, from_environ

PATIENCE_SECONDS = 2.0


def main() -> int:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", from_environ(os.environ).port, timeout=PATIENCE_SECONDS)
        connection.request("GET", "/pong")
        status = connection.getresponse().status
    except (SettingsError, OSError, http.client.HTTPException) as error:
        return _complain(str(error))
    return 0 if status == 200 else _complain(f"/pong answers {status}.")


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - the operator's line
    return 1


if __name__ == "__main__":
    sys.exit(main())
