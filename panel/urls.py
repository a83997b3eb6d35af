"""Pages and login. The webhook and the health checks are answered before any of this: `panel.front`."""

from django.urls import include, path, re_path

from panel.api.calls import answer_unknown, api

urlpatterns = [
    path("api/v1/", api.urls),
    re_path(r"^api/", answer_unknown),
    path("settings/notifications/", include("panel.notify.urls")),
    path("settings/", include("panel.settings_pages.urls")),
    path("accounts/", include("panel.accounts.urls")),
    path("", include("panel.web.urls")),
]
