"""One URL, page or fragment: a browser gets the page, its refresh only what is inside."""

from __future__ import annotations

from typing import Any, cast

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

PER_PAGE = 50


def live(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Render `web/<template>.html`, or only what changes in it for a refresh. Neither may be kept by a cache."""
    fragment = request.headers.get("HX-Request") == "true"
    page = "web/fragment.html" if fragment else f"web/{template}.html"
    response = render(request, page, {**context, "inside": f"web/_{template}.html"})
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["HX-Request"])
    # Read anew every few seconds, by phones too. Django hides the lengths of secrets in it (BREACH).
    return cast("HttpResponse", GZipMiddleware(lambda _: response).process_response(request, response))


def page_of(request: HttpRequest, things: Any) -> Page[Any]:
    """The asked page, or the nearest that exists."""
    return Paginator(things, PER_PAGE).get_page(request.GET.get("page"))
