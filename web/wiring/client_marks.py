"""Marks of a client: what its browser calls itself, and the mark by which it is familiar again."""

import secrets

from flask import Response, after_this_request, current_app, request

from web.wiring.login_sessions import digest_of

SYSTEMS = ("iPhone", "iPad", "Android", "HarmonyOS", "Windows", "Mac OS", "Linux")
BROWSERS = {"MicroMessenger": "微信", "Edg": "Edge", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
DEVICE_DAYS = 365


def cookie_name(name: str, *, over_tls: bool) -> str:
    """Over TLS a cookie is bound to this host: no neighbouring site can set or overwrite it (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{name}" if over_tls else name


def _device_cookie() -> str:
    return cookie_name("daiban-device", over_tls=current_app.config["SESSION_COOKIE_SECURE"])


def device_digest() -> bytes | None:
    """The digest of this browser's own mark, where it has one."""
    mark = request.cookies.get(_device_cookie(), "")
    return digest_of(mark) if 20 <= len(mark) <= 64 else None


def mark_device() -> bytes:
    """Give this browser a mark of its own, by which it is familiar later on; it signs nobody in. Its digest."""
    mark = request.cookies.get(_device_cookie(), "")
    if not 20 <= len(mark) <= 64:
        mark = secrets.token_urlsafe(24)
    over_tls = current_app.config["SESSION_COOKIE_SECURE"]

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(
            _device_cookie(), mark, max_age=DEVICE_DAYS * 86_400, httponly=True, secure=over_tls, samesite="Lax"
        )
        return response

    return digest_of(mark)


def browser_name() -> str:
    """What the browser calls itself, as far as its owner knows it again."""
    agent = request.user_agent.string
    system = next((name for name in SYSTEMS if name in agent), "")
    kind = next((words for name, words in BROWSERS.items() if name in agent), "")
    return " · ".join(part for part in (kind, system) if part)
