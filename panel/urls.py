"""Pages and login. The webhook and the health checks are answered before any of this: `panel.front`."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include("panel.web.urls")),
]
