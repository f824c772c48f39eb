"""Sessions in the browser: an opaque cookie, a token in every form, and refusal of posts from elsewhere."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "ringback_session"
FLASH_COOKIE = "ringback_flash"
SESSION_DAYS = 14
FLASH_SECONDS = 60


def cookie_name(request: Request, name: str = COOKIE) -> str:
    """The name of a cookie; behind TLS the browser itself keeps other hosts from setting it."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


def read_cookie(request: Request) -> str:
    """The secret of the visitor, logged in or not; empty if he has none yet."""
    return request.cookies.get(cookie_name(request), "")


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """Give the visitor a secret."""
    _set(request, response, COOKIE, secret, SESSION_DAYS * 86_400)


def drop_cookie(request: Request, response: Response) -> None:
    """Take the visitor's secret back."""
    _set(request, response, COOKIE, "", 0)


def read_flash(request: Request) -> str:
    """The message for the visitor's next page."""
    return request.cookies.get(cookie_name(request, FLASH_COOKIE), "")


def set_flash(request: Request, response: Response, message: str) -> None:
    """Keep a message for the visitor's next page; an empty one takes back what was kept."""
    _set(request, response, FLASH_COOKIE, message, FLASH_SECONDS if message else 0)


def _set(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def is_set_by(request: Request, response: Response) -> bool:
    """Whether an answer gives the visitor a secret, or takes it from him."""
    return any(line.startswith(f"{cookie_name(request)}=") for line in response.headers.getlist("set-cookie"))


def digest(secret: str) -> bytes:
    """What the database keeps of a secret."""
    return sha256(secret.encode()).digest()


def form_token(secret: str) -> str:
    """The token that every form of this visitor carries."""
    return sha256(b"form:" + secret.encode()).hexdigest()


def is_from_here(request: Request, token: str, secret: str) -> bool:
    """Whether an unsafe request comes from a page of ours: by its origin, and by the token of the form."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    same_origin = site == "same-origin" if site is not None else origin == own
    return same_origin and bool(secret) and compare_digest(token.encode(), form_token(secret).encode())
