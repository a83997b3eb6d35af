"""Words that are said when a page is made, though they stand in a table that is made once."""

from __future__ import annotations

from typing import cast

from django.utils import translation


def gettext_lazy(message: str) -> str:
    """Django's own, typed as the string that it behaves like wherever a template or a format takes it."""
    return cast("str", translation.gettext_lazy(message))
