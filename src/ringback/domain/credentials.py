"""Credentials: how keys are made, and how they are read from what clients really send.

A pair is a public and a private key, sent as ``Authorization: Basic base64(public:private)`` (RFC 7617). A token is one
value, sent as ``Authorization: Token`` or ``Bearer`` (RFC 6750) or, in TrackDrive's old way, as ``auth_token``. Reading
is lenient where nothing can be mistaken, and otherwise says what is wrong; a refusal never carries the credential.
"""

from __future__ import annotations

import binascii
import hmac
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from zlib import crc32

from ringback.domain.errors import Refusal
from ringback.domain.unreplaced import is_unreplaced

PUBLIC = "rbpub_"
PRIVATE = "rbprv_"
TOKEN = "rbtok_"  # noqa: S105

WARNINGS: Mapping[str, str] = MappingProxyType(
    {
        "credential_whitespace": "The credential had spaces or a line break around it, as from echo without -n.",
        "doubled_scheme": "The Authorization header names its scheme twice.",
        "basic_bare_token": "A token was sent as a Basic credential; Authorization: Token <value> is the plain way.",
    }
)
"""What was odd about a credential that was accepted all the same: code to sentence."""

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK_LENGTH = 6
_PREFIXES = (PUBLIC, PRIVATE, TOKEN)
_PUBLIC_KEYS = (PUBLIC, "tdpub")

_KEY = re.compile(r"rb(?:pub|prv|tok)_[0-9A-Za-z]{7,}")
_HEADER = re.compile(r"(basic|token|bearer)((?:\s+\1(?!\S|\s+=))*)(?:\s+(\S.*))?", re.IGNORECASE | re.DOTALL)
_JOINED = re.compile(r",\s*(?=(?:basic|token|bearer)\s)", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z-]{1,16}:?)\s.*", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_PARAMETER = re.compile(r'token\s*=\s*(?:"([^"]*)"|([^\s,;"]*))\s*(?:[,;].*)?', re.IGNORECASE | re.DOTALL)
_STRAY = re.compile(r"[\s\"'<>]")
_EXAMPLE = re.compile(
    r"""
    \[.*\] | \$?\{.*\} | \$\w+ | %\w+%                                   # a variable
  | undefined | null | none | nil | nan | \.{3} | … | [x*]{3,}           # the lack of one
  | (?:replace|change)[ _-]?(?:me|this|it) | .*[ _-]here | your\w+
  | (?:replace|change|fill|insert|enter|paste|put|your|my|example|sample|dummy)[ _-].*
  | (?:(?:base64|encoded|api|auth|access|secret|public|private|basic|bearer|and)[ _-]?)*
    (?:key|token|secret|password|credentials?|value)
    (?:_and_private_key)?
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Credential:
    """Who somebody claims to be; whether it is true is known only to the store.

    Args:
        scheme: ``basic``, ``token``, ``bearer`` or ``auth_token``.
        public_key: the public half of a pair; none for a token.
        secret: the private half of a pair, or the token.
        warnings: codes from ``WARNINGS``.
    """

    scheme: str
    public_key: str | None
    secret: str = field(repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def handle(self) -> str:
        """What the store looks it up by: the public key, or the SHA-256 of the token in hexadecimal."""
        return self.digest.hex() if self.public_key is None else self.public_key

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the secret, which is all that the store keeps of it."""
        return sha256(self.secret.encode()).digest()


def make_key(prefix: str, random: bytes) -> str:
    """A key: prefix, randomness and six check digits, in base 62.

    Args:
        prefix: ``PUBLIC``, ``PRIVATE`` or ``TOKEN``.
        random: random bytes, at least 20 for a secret; the same number of bytes makes keys of the same length.
    """
    length = math.ceil(len(random) * 8 / math.log2(62))
    return _with_check(prefix + _base62(int.from_bytes(random, "big"), length))


def checksum_fits(key: str) -> bool:
    """Whether a text is a key of Ringback's with nothing missing or changed."""
    return _KEY.fullmatch(key) is not None and _with_check(key[:-_CHECK_LENGTH]) == key


def basic_value(public_key: str, private_key: str) -> str:
    """What stands behind ``Basic`` in the Authorization header."""
    return binascii.b2a_base64(f"{public_key}:{private_key}".encode(), newline=False).decode()


def same(digest: bytes, other: bytes) -> bool:
    """Whether two digests are equal, told in constant time."""
    return hmac.compare_digest(digest, other)


def read_credential(authorization: Sequence[bytes], auth_tokens: Sequence[str]) -> Credential:
    """The one credential of a request.

    Args:
        authorization: the values of all Authorization headers.
        auth_tokens: the decoded values of ``auth_token`` in query and body.

    Raises:
        Refusal: there is none, more than one, or one that can't be read.
    """
    headers = [part.strip() for header in authorization for part in _JOINED.split(_text(header))]
    candidates = [_header(text) for text in headers if text]
    candidates += [_token("auth_token", value, ()) for value in auth_tokens]
    found = [credential for credential in candidates if credential is not None]
    if not found:
        raise Refusal("missing_credentials")
    if len(found) > 1 and len({(credential.handle, credential.digest) for credential in found}) > 1:
        raise Refusal("ambiguous_credentials")
    return found[0]


@lru_cache(maxsize=1024)
def _header(text: str) -> Credential | None:
    # Remembered: a sender repeats its header with every request. A wrong one raises, which is never remembered.
    match = _HEADER.fullmatch(text)
    if match is None:
        raise _foreign(text)
    scheme, doubled, value = match.groups()
    if value is None:
        return None
    warnings = ("doubled_scheme",) if doubled else ()
    scheme = scheme.lower()
    return _basic(value, warnings) if scheme == "basic" else _token(scheme, value, warnings)


def _basic(value: str, warnings: tuple[str, ...]) -> Credential:
    """The pair, or the bare token, of a Basic credential; the checks of clients.md 6.3."""
    text = _decoded(value)
    if text is None:
        raise _not_base64(value)
    public, colon, private = (part.strip() for part in text.partition(":"))
    if len(public) + len(colon) + len(private) < len(text):
        warnings = (*warnings, "credential_whitespace")
    if not colon and not text.isascii():
        raise _not_base64(value)
    for half in (public, private):
        _check(half, "basic_malformed")
    if public and private:
        if public.startswith((PRIVATE, TOKEN)):  # the halves are swapped, or no public key is among them
            raise Refusal("basic_missing_secret")
        return Credential("basic", public, private, warnings)
    bare = public or private
    if bare.startswith(TOKEN) or (bare and not colon and not bare.startswith(_PREFIXES)):
        return Credential("basic", None, bare, (*warnings, "basic_bare_token"))
    raise Refusal("basic_missing_secret")


def _token(scheme: str, value: str, warnings: tuple[str, ...]) -> Credential | None:
    parameter = _PARAMETER.fullmatch(value)
    if parameter is not None:
        value = parameter[1] or parameter[2] or ""
    token = value.strip()
    if len(token) < len(value):
        warnings = (*warnings, "credential_whitespace")
    if _is_pair(token):
        raise Refusal("token_is_pair")
    _check(token, "token_malformed")
    return Credential(scheme, None, token, warnings) if token else None


def _check(value: str, malformed: str) -> None:
    """Refuse a key that can't be one, so that its sender learns more than that nobody knows it."""
    if checksum_fits(value):
        return
    if _EXAMPLE.fullmatch(value) or is_unreplaced(value):
        raise Refusal("credential_placeholder")
    if _STRAY.search(value) or not value.isprintable():
        raise Refusal(malformed)
    if value.startswith(_PREFIXES):
        raise Refusal("credential_mistyped")


def _is_pair(value: str) -> bool:
    """Whether a value is a public and a private key, plain or as Basic wants them."""
    pair = value if ":" in value else _decoded(value) or ""
    return ":" in pair and pair.startswith(_PUBLIC_KEYS)


def _not_base64(value: str) -> Refusal:
    """What is wrong with a Basic credential that can't be decoded."""
    if any(_EXAMPLE.fullmatch(half) or is_unreplaced(half) for half in (value, *value.split(":", 1))):
        return Refusal("credential_placeholder")
    return Refusal("basic_not_base64" if ":" in value or value.startswith(_PREFIXES) else "basic_malformed")


def _foreign(text: str) -> Refusal:
    """What is wrong with a header that has no scheme of ours.

    Only what looks like a scheme is told: without one, what stands there may be the secret itself.
    """
    if _EXAMPLE.fullmatch(text) or is_unreplaced(text):
        return Refusal("credential_placeholder")
    quoted = _HEADER.fullmatch(text.strip("\"'<> "))
    if quoted is not None:
        return Refusal("basic_malformed" if quoted[1].lower() == "basic" else "token_malformed")
    scheme = _SCHEME.fullmatch(text)
    return Refusal("unsupported_scheme", scheme=scheme[1] if scheme else "(none)")


def _decoded(value: str) -> str | None:
    """The text behind base64 of either alphabet, padded or not; none if it isn't base64."""
    if value.startswith(_PREFIXES) or _BASE64.fullmatch(value) is None:
        return None
    try:
        return _text(binascii.a2b_base64(value.replace("-", "+").replace("_", "/") + "=="))
    except binascii.Error:
        return None


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _with_check(body: str) -> str:
    return body + _base62(crc32(body.encode()), _CHECK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = ""
    while len(digits) < length:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits
