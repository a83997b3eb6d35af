"""Below /settings/notifications/."""

from django.urls import path

from panel.notify import views

app_name = "notify"
urlpatterns = [
    path("", views.notifications, name="notifications"),
    path("log/", views.log, name="log"),
    path("add/<slug:owner>/", views.add, name="add"),
    path("<int:pk>/", views.change, name="change"),
    path("<int:pk>/remove/", views.remove, name="remove"),
    path("<int:pk>/test/", views.test, name="test"),
]
