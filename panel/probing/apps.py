from django.apps import AppConfig


class Probing(AppConfig):
    name = "panel.probing"
