from django.apps import AppConfig


class Drills(AppConfig):
    name = "panel.drills"
