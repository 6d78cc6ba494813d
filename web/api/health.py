"""Health: is it alive, is it ready, and its figures for a monitor."""

import os
import secrets
import shutil
import time
from ipaddress import ip_address
from typing import Any

import redis
from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import db
from web.wiring import key_check
from web.wiring.auth import bearer_token, limiter
from web.wiring.transactions import transaction

bp = Blueprint("health", __name__)

READY_PATIENCE_S = 2.0
LEAST_FREE_BYTES = 256 * 1024 * 1024

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
    """The database answers to our keys, so requests can be served; a missing broker is told and stops no page."""
    found = {"database": _database(), "broker": _broker(), "disk": _disk()}
    ready = found["database"] == "ok"
    return jsonify(status="ok" if ready else "unavailable", **found), 200 if ready else 503


def _database() -> str:
    db.PATIENCE_S.set(READY_PATIENCE_S)
    try:
        with transaction() as session:
            session.execute(text("select 1"))
            key_check.check_keys(session)
    except (SQLAlchemyError, db.BadKeys) as error:
        return type(error).__name__
    return "ok"


def _disk() -> str:
    """Whether files can still be kept; pages are read without."""
    try:
        free = shutil.disk_usage(db.home()).free
    except OSError as error:
        return type(error).__name__
    return "ok" if free >= LEAST_FREE_BYTES else f"low: {free // 2**20} MB"


def _broker() -> str:
    url = current_app.extensions["daiban.settings"].broker_url
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
            client.ping()
    except redis.RedisError as error:
        return type(error).__name__
    return "ok"


def _is_monitor() -> bool:
    """Who bears METRICS_TOKEN; where none is set, who asks from this very machine and not through a proxy."""
    if token := current_app.extensions["daiban.settings"].metrics_token:
        return secrets.compare_digest((bearer_token(request) or "").encode(), token.encode())
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False  # a socket in the file system has no address


@bp.get("/metrics")
@limiter.exempt
def metrics() -> Response:
    """Prometheus text for the monitor: request times by endpoint; no paths, no people. To others it is not there."""
    if not _is_monitor():
        abort(404)
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
