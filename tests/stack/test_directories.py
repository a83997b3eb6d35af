from pathlib import Path

import pytest

from stack.directories import claim, fresh_directory
from stack.settings import SettingsError


def test_a_directory_is_made_and_belongs_to_one_at_a_time(tmp_path: Path) -> None:
    directory = claim(tmp_path / "build" / "demo")
    assert directory.is_dir()
    with pytest.raises(SettingsError, match=rf"Another one runs already and keeps its files in {directory}"):
        claim(directory)
    claim(tmp_path / "build" / "incident")


def test_what_the_last_time_left_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "web.log").touch()
    (tmp_path / "panel.sqlite3").touch()
    assert list(fresh_directory(tmp_path).iterdir()) == []


def test_what_another_one_uses_is_not_deleted(tmp_path: Path) -> None:
    claim(tmp_path)
    (tmp_path / "panel.sqlite3").touch()
    with pytest.raises(SettingsError):
        fresh_directory(tmp_path)
    assert (tmp_path / "panel.sqlite3").exists()
