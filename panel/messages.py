"""`make messages`: every text that a page may say, as the catalogue template that translators start from.

Written by GNU gettext through Django; without the header's dates, so that the same texts are the same bytes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.test.utils import override_settings

HEADER = """\
# What the panel's pages say: `make messages` writes it, docs/translating.md says how a language is added.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""
SOURCES = ("panel", "templates")


def catalogue(directory: Path) -> str:
    """The template's text, made in `directory`, a copy of the sources. Raises CommandError without gettext."""
    for name in SOURCES:
        shutil.copytree(settings.BASE_DIR / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "locale").mkdir()
    # Its own folders alone: what is there of the panel's would be removed first.
    with contextlib.chdir(directory), override_settings(LOCALE_PATHS=[]):
        call_command("makemessages", locale=["xx"], keep_pot=True, no_location=True, no_wrap=True, verbosity=0)
    text = (directory / "locale" / "django.pot").read_text(encoding="utf-8")
    return HEADER + text[text.index("\n\n", text.index('msgid ""')) + 1 :]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
    django.setup()
    target = settings.BASE_DIR / "locale" / "django.pot"
    with tempfile.TemporaryDirectory() as directory:
        target.write_text(catalogue(Path(directory)), encoding="utf-8")
    sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main()
