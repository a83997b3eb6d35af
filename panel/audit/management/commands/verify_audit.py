"""`manage.py verify_audit [--expect HASH] [--former-key FILE …]`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel.audit.verification import Verdict, verify


class Command(BaseCommand):
    help = "Check that no entry of the audit trail was changed, removed or added by anybody but the panel."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--expect", metavar="HASH", default="", help="a hash that an earlier run or a log printed")
        parser.add_argument(
            "--former-key", metavar="FILE", action="append", default=[],
            help="a file with a PANEL_SECRET_KEY that is no longer used; several from the oldest on",
        )  # fmt: skip

    def handle(self, *, expect: str, former_key: list[str], **_options: Any) -> None:
        verdict = verify([*map(_read, former_key), settings.SECRET_KEY], expect)
        if verdict.problem:
            raise CommandError(f"{verdict.problem} Entries that are sound before it: {verdict.sound}.")
        self.stdout.write(_sentence(verdict))


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise CommandError(f"--former-key {file} can't be read: {problem}.") from None


def _sentence(verdict: Verdict) -> str:
    if verdict.first is None or verdict.last is None:
        return "The audit trail is empty."
    return (
        f"{verdict.sound} entries are sound, from #{verdict.first.pk} to #{verdict.last.pk}. "
        f"The last one's hash: {verdict.last.hash}"
    )
