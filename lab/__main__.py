"""``python -m lab``: starts the lab and runs it until a signal ends it."""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from lab.running import EVERYWHERE, LOOPBACK, Lab, LabError, abandon, claim, listen
from lab.runtime.containers import NoNetworkError
from lab.runtime.environments import FunctionError
from lab.runtime.stopping import end_on_signals
from lab.scenario import NAMES
from lab.stage import StageError
from lab.worldfile import WorldError, WorldTable, load

DEMO_WORLD = Path(__file__).parent / "worlds" / "demo.toml"


def main() -> int:
    """Returns the exit status: 0 after a signal, 2 when the lab cannot start; 1 is of a lab that was ended by force."""
    arguments = _parse()
    try:
        table = load(arguments.world)
        with claim(arguments.state_dir), listen(arguments.port, arguments.host) as listening:
            asyncio.run(_serve(table, listening, arguments))
    except (WorldError, LabError, NoNetworkError, FunctionError, StageError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the operator's line
        return 2
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 (any free port) and 65535")
    return int(text)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab", description="A local AWS on real processes and real HTTP.")
    parser.add_argument("--world", type=Path, default=DEMO_WORLD, metavar="FILE.toml", help="what the lab contains")
    parser.add_argument("--port", type=_port, help="of the AWS endpoint; default 4566, or the next free one")
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        choices=(LOOPBACK, EVERYWHERE),
        help="of the AWS endpoint; the latter in a container",
    )
    parser.add_argument("--state-dir", type=Path, default=Path("build/lab"), metavar="DIR", help="lab.json and logs")
    parser.add_argument("--traffic", action="store_true", help="start clients that send what the lab's page asks for")
    parser.add_argument(
        "--scenario", choices=NAMES, metavar="NAME", help=f"play it, with --traffic: {', '.join(NAMES)}"
    )
    return parser.parse_args()


async def _serve(table: WorldTable, listening: Any, arguments: argparse.Namespace) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    end_on_signals(lambda: loop.call_soon_threadsafe(ended.set), lambda: abandon(arguments.state_dir))
    lab = Lab(table, listening, arguments.state_dir)
    work = asyncio.create_task(_run(lab, arguments))
    stop = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
    finally:
        work.cancel()
        stop.cancel()
        await asyncio.gather(work, stop, return_exceptions=True)
        await lab.close()


async def _run(lab: Lab, arguments: argparse.Namespace) -> None:
    description = await lab.start()
    if arguments.traffic or arguments.scenario:
        lab.send_traffic()
    if arguments.scenario:
        lab.stage.play({"name": arguments.scenario}, time.time())
    print(_summary(description, arguments.state_dir), flush=True)  # noqa: T201 - the operator's lines
    await lab.run()


def _summary(description: dict[str, Any], state_dir: Path) -> str:
    lines = [f"The lab runs at {description['endpoint']}; everything about it is in {state_dir / 'lab.json'}."]
    for slug, each in description["applications"].items():
        lines.append(f"  {slug:<12} {'  '.join(each['urls'])}")
    lines.append(f"To train on it, open {description['endpoint']}/_lab/")
    variables = f"AWS_ENDPOINT_URL={description['endpoint']} AWS_DEFAULT_REGION={description['region']}"
    keys = "AWS_ACCESS_KEY_ID=lab AWS_SECRET_ACCESS_KEY=lab"
    lines += ["Point boto3 or aws at it with", f"  export {variables} {keys}", "Ctrl-C ends it."]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
