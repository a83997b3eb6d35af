"""The panel's pages, webhook and health checks for a WSGI server: `gunicorn panel.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from panel import environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
environment.require_secret()
application = get_wsgi_application()

# What is loaded by now stays for good. A full collection that looked through it all took longer than rendering a page,
# and came with every few pages of a large fleet.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
