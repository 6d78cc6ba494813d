"""What holds for each gunicorn that serves the pages, however it is started: an answer does not name its server."""

from gunicorn.http import wsgi

wsgi.SERVER = "daiban"
