"""The directory in which a stack keeps its files, for one stack at a time."""

import fcntl
import os
import shutil
from pathlib import Path

from stack.settings import SettingsError


def claim(directory: Path) -> Path:
    """Make the directory if need be, and keep others out for as long as this process lives.

    Two stacks on one database would mean two beats, and a second demo would delete the files of the first.
    Raises SettingsError when another one has it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # Never closed: the kernel frees the claim with our process, however that ends.
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SettingsError(f"Another one runs already and keeps its files in {directory}: end it first.") from None
    return directory


def fresh_directory(directory: Path) -> Path:
    """Claim the directory and empty it: each start has a database, a key and logs of its own.

    Raises SettingsError when another one has it.
    """
    for entry in claim(directory).iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return directory
