"""The application: one factory that wires settings, database, queue, pages and API together."""

from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4

from apiflask import APIFlask
from celery import Celery, Task, signals
from flask import Flask
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

import db
from notifications import tasks
from web.api import health, provider_hooks, resources
from web.pages import enterprise, team
from web.pages.courier import handovers, run
from web.pages.enterprise import bulk_upload
from web.pages.operator import security, set_up
from web.pages.public import custody_log, entry, guide, own_account, own_factor, own_webhooks, track, working_days
from web.wiring import (
    act_door,
    assets,
    auth,
    compression,
    errors,
    files,
    formatting,
    forms,
    jobs,
    key_check,
    login_sessions,
    logs,
    navigation,
    notices,
    travel_time_setup,
    upload_kinds,
    webhook_jobs,
)
from web.wiring.api_schema import ApiRequest
from web.wiring.lazy_commands import Commands
from web.wiring.settings import BadSetting, Settings

MOST_UPLOADED = 12 * 1024 * 1024  # a file of 10 MB and the form around it


def create_app(settings: Settings) -> Flask:
    """The web application with its Celery application in ``extensions["celery"]``."""
    logs.install()
    app = APIFlask(
        "web", title="Daiban 代办通", version="1", spec_path="/openapi.json", docs_path=None, json_errors=False
    )
    app.cli = Commands(commands=app.cli.commands)
    app.secret_key = settings.secret_key
    app.request_class = ApiRequest
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_UPLOADED,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        PERMANENT_SESSION_LIFETIME=login_sessions.LONGEST,  # the server ends a session before its cookie does
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(hours=1),
    )
    app.extensions["daiban.settings"] = settings
    app.extensions["daiban.sessions"] = db.sessions(settings.database_url, pool_size=settings.pool_size)
    app.extensions["daiban.travel"] = travel_time_setup.travel_times(settings)
    app.extensions["daiban.geocoder"] = travel_time_setup.geocoder(settings)
    app.extensions["celery"] = make_celery(app, settings)
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]

    files.install(app)  # before the token of a form is looked for, which reads the form
    auth.install(
        app,
        broker_url=settings.broker_url,
        limit_requests=settings.limit_requests,
        over_tls=settings.over_tls,
        tile_url=settings.tile_url,
    )
    compression.install(app)
    health.install(app)
    errors.install(app)
    forms.install(app)
    act_door.install(app)
    formatting.install(app)
    app.jinja_env.globals.update(
        nav_parts=navigation.parts,
        settings_tile_url=settings.tile_url,
        client_id=uuid4,
        PAPERS_TAKEN=upload_kinds.TAKEN,
    )
    app.jinja_env.globals.update(asset=assets.asset, program_version=assets.version)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    doors = (
        assets, own_account, own_factor, own_webhooks, entry, enterprise, team, bulk_upload, run, handovers, track,
        guide, working_days, custody_log, security, set_up, provider_hooks, health,
    )  # fmt: skip
    for blueprint in dict.fromkeys(door.bp for door in doors):  # several modules of one audience share theirs
        app.register_blueprint(blueprint)

    resources.install(app)
    notices.install(app, app.extensions["celery"], settings)
    return app


def app_from_environment() -> Flask:
    """The application of this process's environment; a wrong setting ends it with one line."""
    try:
        app = create_app(Settings.from_environment())
        key_check.know_keys_at_start(app.extensions["daiban.sessions"])
    except (BadSetting, db.BadKeys) as error:
        raise SystemExit(f"daiban: {error}") from None
    app.extensions["daiban.sessions"].kw["bind"].dispose()  # nothing is inherited by the processes that are forked
    return app


def make_celery(app: Flask, settings: Settings) -> Celery:
    """The queue. Every task runs inside the application's context."""

    def run_in_context(task: Task, *args: object, **kwargs: object) -> object:
        with app.app_context():
            return task.run(*args, **kwargs)

    in_context = type("InContext", (Task,), {"__call__": run_in_context})  # Celery's classes carry no types to extend
    celery = Celery("daiban", broker=settings.broker_url, task_cls=in_context)
    celery.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_eta_task_limit=1000,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": 3600,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 10,
            "socket_connect_timeout": 2,
        },
        task_default_queue=jobs.QUEUE,
        beat_schedule={**tasks.SCHEDULE, **jobs.SCHEDULE, **webhook_jobs.SCHEDULE},
        timezone="Asia/Shanghai",
        enable_utc=True,
    )
    celery.set_default()

    def drop_inherited_connections(**_: object) -> None:
        """A forked worker must not share its parent's connections."""
        app.extensions["daiban.sessions"].kw["bind"].dispose(close=False)

    def load_solver(sender: Any, **_: object) -> None:
        """Who serves the jobs' queue loads the code of its tasks, whatever command started it; others stay small."""
        if sender.app is celery and jobs.QUEUE in celery.amqp.queues.consume_from:
            import_module("web.wiring.plan_tasks")

    signals.worker_process_init.connect(drop_inherited_connections, weak=False)
    signals.worker_init.connect(load_solver, weak=False)
    return celery
