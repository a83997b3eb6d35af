"""A part that is forked from a process that has loaded something."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SPEAKER = """
import os, sys
print("this" in sys.modules, os.environ["SAID"], sys.argv[1:], os.getpgid(0) == os.getpid(), sys.stdin.read())
print("aside", file=sys.stderr)
sys.exit(3)
"""


def test_it_finds_what_was_loaded_its_arguments_and_its_environment_and_ends_as_it_likes(tmp_path: Path) -> None:
    (tmp_path / "speaker.py").write_text(SPEAKER)
    log = tmp_path / "log"
    ended = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("little_fork.py")), str(log), "speaker", "one", "two"],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        input=b"not for the part",
        timeout=30,
        check=False,
        stdout=subprocess.DEVNULL,
    )
    assert log.read_text() == "True by its environment ['one', 'two'] True \naside\n"
    assert ended.returncode == 3
