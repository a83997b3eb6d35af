"""`manage.py notification_kinds`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from panel.notify import kinds


class Command(BaseCommand):
    help = "Print what people can be told of, as a table."

    def handle(self, **_options: Any) -> None:
        self.stdout.write(kinds.markdown())
