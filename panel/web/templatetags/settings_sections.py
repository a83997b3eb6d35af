"""The navigation beside settings pages, for whichever app's page extends `settings/base.html`."""

from __future__ import annotations

from typing import Any

from django import template

from panel.settings_pages.sections import entries

register = template.Library()


@register.simple_tag(takes_context=True)
def settings_sections(context: template.Context) -> list[dict[str, Any]]:
    """The sections that this person may open, the one of this page marked."""
    return entries(context["request"])
