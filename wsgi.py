"""The doors of the program: ``gunicorn wsgi:app`` and ``celery -A wsgi:celery worker``."""

from web.app import app_from_environment

app = app_from_environment()
celery = app.extensions["celery"]
