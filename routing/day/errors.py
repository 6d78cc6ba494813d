"""Errors of the courier's day: a rule was broken, and nothing was changed."""


class RunError(Exception):
    """A rule of the courier's day was broken; nothing was changed. ``user_message`` is for the person at the screen."""

    def __init__(self, message: str, *, user_message: str) -> None:
        super().__init__(message)
        self.user_message = user_message
