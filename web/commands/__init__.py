"""Commands: what flask --app wsgi offers on the command line."""
