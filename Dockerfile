# The image of tmf-listener: what runtime.lock says, the listener, and nobody's rights.
# The build does what the Makefile does: the installer by hash, then the lock by hash.

FROM python:3.11-slim AS build
ENV UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never UV_PYTHON_PREFERENCE=only-system UV_COMPILE_BYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY tools.lock ./
RUN python3 -m venv .tools \
 && .tools/bin/pip install --quiet --require-hashes -r tools.lock
COPY runtime.lock ./
RUN python3 -m venv --without-pip /opt/listener \
 && .tools/bin/uv pip sync --quiet --require-hashes --python /opt/listener/bin/python runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY app ./app
COPY openapi ./openapi
RUN .tools/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . \
 && .tools/bin/uv pip install --quiet --no-deps --python /opt/listener/bin/python dist/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin listener \
 && install -d -o listener -g listener -m 0700 /data
COPY --from=build /opt/listener /opt/listener
ENV PATH=/opt/listener/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LISTENER_HOST=0.0.0.0 \
    LISTENER_PORT=8080 \
    LISTENER_DATA_DIR=/data
WORKDIR /data
VOLUME /data
EXPOSE 8080
USER 10001
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['LISTENER_PORT'] + '/healthz', timeout=3)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["listener"]
CMD ["serve"]
