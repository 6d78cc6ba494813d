"""Marks of a client: what its browser calls itself, and the mark by which it is familiar again."""

import secrets

from flask import Response, after_this_request, current_app, request

from web.wiring.login_sessions import digest_of

SYSTEMS = ("iPhone", "iPad", "Android", "HarmonyOS", "Windows", "Mac OS", "Linux")
BROWSERS = {"MicroMessenger": "微信", "Edg": "Edge", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
DEVICE_COOKIE, DEVICE_DAYS = "daiban-device", 365


def device_digest() -> bytes | None:
    """The digest of this browser's own mark, where it has one."""
    mark = request.cookies.get(DEVICE_COOKIE, "")
    return digest_of(mark) if 20 <= len(mark) <= 64 else None


def mark_device() -> bytes:
    """Give this browser a mark of its own, by which it is familiar later on; it signs nobody in. Its digest."""
    mark = request.cookies.get(DEVICE_COOKIE, "")
    if not 20 <= len(mark) <= 64:
        mark = secrets.token_urlsafe(24)
    over_tls = current_app.config["SESSION_COOKIE_SECURE"]

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(
            DEVICE_COOKIE, mark, max_age=DEVICE_DAYS * 86_400, httponly=True, secure=over_tls, samesite="Lax"
        )
        return response

    return digest_of(mark)


def browser_name() -> str:
    """What the browser calls itself, as far as its owner knows it again."""
    agent = request.user_agent.string
    system = next(
        (name for name in ("iPhone", "iPad", "Android", "HarmonyOS", "Windows", "Mac OS", "Linux") if name in agent), ""
    )
    kinds = {"MicroMessenger": "微信", "Edg": "Edge", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
    kind = next((words for name, words in kinds.items() if name in agent), "")
    return " · ".join(part for part in (kind, system) if part)
