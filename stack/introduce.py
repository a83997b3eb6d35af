"""`python -m stack.introduce LAB_DIRECTORY WEBHOOK`: makes a running lab and a running panel known to each other.

What `make demo` does by itself, for parts that somebody else started: imports the lab's applications, makes a webhook
key, and has the lab's EventBridge deliver there. Meant to be run at each start; a key of an earlier one stays valid.
"""

import argparse
import asyncio
import subprocess  # nosec B404 # it runs our own commands
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from stack.applications import write_applications
from stack.laboratory import read_laboratory
from stack.panel import manage


def introduce(directory: Path, webhook: str) -> str:
    """Returns a line that says what was done. Raises OSError where there is no lab, CalledProcessError."""
    lab = read_laboratory(directory)
    with tempfile.TemporaryDirectory() as folder:
        _run("import_application", *map(str, write_applications(lab, Path(folder))))
    key = _run("create_webhook_key", f"lab-{datetime.now(UTC):%Y%m%d-%H%M%S}").strip()
    asyncio.run(lab.send_events_to(webhook, key))
    return f"The panel knows {len(lab.applications)} applications of the lab, which delivers to {webhook}."


def _run(*arguments: str) -> str:
    done = subprocess.run(manage(*arguments), check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 # nosec B603 # our own
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m stack.introduce", description=__doc__)
    parser.add_argument("directory", type=Path, help="the lab's state directory, with its lab.json")
    parser.add_argument("webhook", help="where the panel's webhook is, as seen by the lab")
    arguments = parser.parse_args()
    try:
        print(introduce(arguments.directory, arguments.webhook))  # noqa: T201 - the operator's line
    except OSError as error:
        print(f"There is no lab to be introduced: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
