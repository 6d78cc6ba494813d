"""Health: is it alive, is it ready, and its figures for a monitor."""

import os
import time
from typing import Any

import redis
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from web.wiring.auth import limiter
from web.wiring.transactions import transaction

bp = Blueprint("health", __name__)

SECONDS = Histogram(
    "daiban_request_seconds",
    "Time to answer, by endpoint and status class",
    ("endpoint", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


@bp.get("/healthz")
@limiter.exempt
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@limiter.exempt
def readyz() -> tuple[Response, int]:
    """The database answers, so requests can be served; a missing broker is told but does not stop the pages."""
    found = {"database": _database(), "broker": _broker()}
    ready = found["database"] == "ok"
    return jsonify(status="ok" if ready else "unavailable", **found), 200 if ready else 503


def _database() -> str:
    try:
        with transaction() as session:
            session.execute(text("select 1"))
    except SQLAlchemyError as error:
        return type(error).__name__
    return "ok"


def _broker() -> str:
    url = current_app.extensions["daiban.settings"].broker_url
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
            client.ping()
    except redis.RedisError as error:
        return type(error).__name__
    return "ok"


@bp.get("/metrics")
@limiter.exempt
def metrics() -> Response:
    """Prometheus text: request times by endpoint; no paths, no people."""
    registry: CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def install(app: Flask) -> None:
    """Time every request."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Any) -> Any:
        began = g.pop("began", None)
        if began is not None:
            spent = time.perf_counter() - began
            SECONDS.labels(request.endpoint or "none", f"{response.status_code // 100}xx").observe(spent)
        return response
