"""`manage.py roles`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from panel.accounts import roles


class Command(BaseCommand):
    help = "Print who may do what, as a table."

    def handle(self, **_options: Any) -> None:
        self.stdout.write(roles.markdown())
