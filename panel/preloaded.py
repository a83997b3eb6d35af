"""Loads what the panel's processes load, for one from which all of them are forked (`stack/forking.py`).

What is loaded before a fork is in memory once, as long as nobody writes to it: the garbage collector would, so what
stands here is put out of its sight. Nothing may be connected or started here, since no connection survives a fork.
"""

import gc
import importlib
import os

import django
from django.core.checks import run_checks

from panel.collecting import leave_out_what_is_loaded

MODULES = (
    *("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "panel.gunicorn_logs", "panel.wsgi"),
    *("uvicorn.main", "panel.live"),
    *("celery.bin.celery", "celery.bin.worker", "celery.bin.beat", "celery.apps.worker", "celery.apps.beat"),
    *("celery.worker.components", "celery.worker.consumer", "kombu.transport.redis", "panel.pool", "panel.beat"),
)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
gc.disable()  # what it would free leaves holes, in which children write
django.setup()
for module in MODULES:
    importlib.import_module(module)
importlib.import_module("panel.celery").app.loader.import_default_modules()
run_checks()  # as Celery and gunicorn will: it loads every page
leave_out_what_is_loaded()
gc.enable()
