"""Cursor pages: newest first, each page begins after the last thing of the one before, whatever came in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from django.db.models import Model, QuerySet
from ninja import Query

from panel.api.schemas import LARGEST_ID, Page

M = TypeVar("M", bound=Model)

Cursor = Annotated[int | None, Query(None, ge=1, le=LARGEST_ID, description="`next` of the page before")]
Limit = Annotated[int, Query(50, ge=1, le=200, description="how many at most")]


def page(things: QuerySet[M], cursor: int | None, limit: int, show: Callable[[M], Any]) -> Page[Any]:
    return page_together(things, cursor, limit, lambda found: [show(each) for each in found])


def page_together(
    things: QuerySet[M], cursor: int | None, limit: int, show: Callable[[list[M]], list[Any]]
) -> Page[Any]:
    """As `page`, for things that are cheaper to show together."""
    newest = things.order_by("-pk")
    found = list((newest.filter(pk__lt=cursor) if cursor else newest)[: limit + 1])
    more = len(found) > limit
    return Page(items=show(found[:limit]), next=found[limit - 1].pk if more else None)


__all__ = ["Cursor", "Limit", "page", "page_together"]
