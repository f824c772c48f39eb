"""Sessions in the browser: an opaque cookie, a token in every form, and refusal of posts from elsewhere."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "ringback_session"
SECURE_COOKIE = "__Host-ringback_session"
SESSION_DAYS = 14


def cookie_name(request: Request) -> str:
    """The name of the cookie; behind TLS the browser itself keeps other hosts from setting it."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE


def read_cookie(request: Request) -> str:
    """The secret of the visitor, logged in or not; empty if he has none yet."""
    return request.cookies.get(cookie_name(request), "")


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """Give the visitor a secret."""
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=SESSION_DAYS * 86_400,
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
