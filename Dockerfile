# The image of this service: one image, and the command says which role it plays.
FROM python:3.11-slim AS build
WORKDIR /service
RUN python -m venv .venv
COPY requirements.lock ./
RUN .venv/bin/pip install --quiet --require-hashes --no-deps --no-cache-dir -r requirements.lock
COPY pyproject.toml README.md ./
COPY domain domain
COPY eventlog eventlog
COPY projections projections
COPY command_api command_api
COPY read_api read_api
COPY adapters adapters
COPY app app
COPY migrations migrations
COPY proto proto
RUN .venv/bin/pip install --quiet --no-deps --no-build-isolation --no-cache-dir --editable .

FROM python:3.11-slim
# An ordinary user whose number is known: the data volume belongs to it.
RUN useradd --uid 10001 --create-home analytics && mkdir /data && chown analytics /data
COPY --from=build /service /service
WORKDIR /service
USER analytics
# It listens for other machines only with ANALYTICS_TLS_CERTIFICATE and _KEY, or where ANALYTICS_PLAINTEXT says "yes".
ENV ANALYTICS_DATA=/data ANALYTICS_HOST=0.0.0.0 PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2
VOLUME /data
ENTRYPOINT ["/service/.venv/bin/analytics"]
CMD ["up"]
