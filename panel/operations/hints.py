"""Telling open pages to look again, once what changed is committed."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from panel import live_hints
from panel.fleet.models import Application


def hint(application: Application | None) -> None:
    """Have the open pages of an application look again; with None every open page."""
    slug = application.slug if application else live_hints.EVERYTHING
    transaction.on_commit(partial(live_hints.publish, slug))
