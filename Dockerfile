# syntax=docker/dockerfile:1
# The panel: one image, one command for each of its processes (`python -m panel --help`). The target `lab` adds the lab.
#   docker build --target panel -t failover-panel .

# The Python that the tests run on.
ARG PYTHON=3.11.14-slim-bookworm

FROM python:${PYTHON} AS packages
WORKDIR /build
COPY requirements/uv.txt requirements/runtime.txt requirements/
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/uv.txt \
    && python -m venv --without-pip /opt/venv \
    && uv pip install --no-cache --system-certs --python /opt/venv/bin/python --compile-bytecode --require-hashes -r requirements/runtime.txt

FROM packages AS lab-packages
COPY requirements/lab.txt requirements/
RUN uv pip install --no-cache --system-certs --python /opt/venv/bin/python --compile-bytecode --require-hashes -r requirements/lab.txt

FROM python:${PYTHON} AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin app

FROM base AS panel
ENV HOST=0.0.0.0 \
    PORT=8000 \
    PANEL_ALIVE_PATH=/tmp/alive
COPY --from=packages /opt/venv /opt/venv
COPY manage.py ./
COPY failover failover
COPY panel panel
COPY templates templates
COPY locale locale
RUN python -m compileall -q failover panel
# A number, so that Kubernetes can see that it is not root's.
USER 10001:10001
EXPOSE 8000
# Of `web`; compose and ECS name the part that they start.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "panel", "healthy", "web"]
CMD ["python", "-m", "panel", "web"]

FROM base AS lab
COPY --from=lab-packages /opt/venv /opt/venv
COPY manage.py ./
COPY failover failover
COPY panel panel
COPY templates templates
COPY api_service api_service
COPY lab lab
COPY stack stack
RUN python -m compileall -q . && install -d -o 10001 -g 10001 /state
USER 10001:10001
EXPOSE 4566
CMD ["python", "-m", "lab", "--host", "0.0.0.0", "--port", "4566", "--state-dir", "/state", "--traffic"]

# The last one is what `docker build .` makes.
FROM panel
