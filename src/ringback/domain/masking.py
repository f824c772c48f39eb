"""Secrets taken out of what is stored, logged and shown.

Four kinds are known by their looks, wherever they stand: keys of ours and TrackDrive's, the same in base64, values of
``auth_token`` and ``Authorization``, and what follows ``Basic``, ``Token`` or ``Bearer``. Given secrets are found
as they are, in base64, percent-encoded and escaped as in JSON. In doubt, rather too much is masked than too little.
Every pattern takes time linear in the data: what can fail after a long look is possessive or bounded.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote

from ringback.domain.credentials import PRIVATE, PUBLIC, TOKEN

MASK = b"[masked]"

_SHORTEST_IN_BASE64 = 5
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SHORT_ESCAPES = {
    **{letter: rb"\\{1,8}" + name for letter, name in zip('\b\f\n\r\t"/', b'b f n r t " /'.split(), strict=True)},
    "\\": rb"\\\\",
}

# Escapes may themselves be escaped: %2522 is %22 in a query within a query, \\\" is \" in JSON within JSON.
_PARTS = {
    b"PERCENT": rb"%(?:25){0,3}",
    b"ESCAPE": rb"\\{1,8}",
    b"SPACE": rb"(?:[ \t+]|PERCENT(?:20|09|2[Bb])|ESCAPEt)",
    b"GAP": rb"(?:[ \t\r\n+]|PERCENT20){0,8}+",
    b"SCHEME": rb"(?:(?i:basic|token|bearer)SPACE{1,8}+)",
    # Where a value ends that has no quotes around it.
    b"END_ESCAPE": rb"\\{0,8}+(?:[\"'nrt]|u00(?:2[267]|3[CEce]))",
    b"PARAMETER": rb"=\\{0,8}+\"[^\"\r\n]*+\"?+",
    # Basic, Token and Bearer are also words; prose goes on with words, in a query joined by + or %20.
    b"WORD": rb"(?:[A-Z]?[a-z]{0,14}+|[A-Z]{1,15}+)[.!?]?",
    b"PROSE": rb"(?:WORD(?:\+|%20)){0,20}+WORD(?![^\s\"'&<>,;\\]|\\(?!END_ESCAPE))",
    b"ANY": rb"[\s\S]",
}


def _compile(pattern: bytes) -> re.Pattern[bytes]:
    """A verbose pattern in which the names of parts stand for the parts."""
    for name, part in reversed(_PARTS.items()):
        pattern = pattern.replace(name, part)
    return re.compile(pattern, re.VERBOSE)


_NAMED = _compile(
    rb"""
    (?P<kept>
        (?i:auth(?:[_-]?token|orization))
        (?:[\[\]"'] | ESCAPE["'] | (?:PERCENT|ESCAPEu00)(?:2[27]|5[BDbd])){0,4}+ GAP
        (?:(?P<colon>: | ESCAPEu003[Aa]) | =>? | ESCAPEu003[Dd] | %(?P<level>(?:25){0,3})3[ADad]) GAP
        (?:(?P<quote>\\{0,8}["'] | ESCAPEu002[27]) | (?P<encoded_quote>PERCENT2[27]) | )
        SCHEME{0,4}+
    )
    (?(quote)(?:[^\\"']++ | (?!(?P=quote))(?:\\++["']? | ["']))++
    |(?(encoded_quote)(?:[^%&\s"'<>]++ | (?!(?P=encoded_quote))%)++
    |(?(level)(?:[^%&\s"'<>\\]++ | (?!%(?P=level)2[236])%)++
    |(?(colon)(?:
            [\[{](?:"(?:[^"\\] | \\ANY)*+"?+ | [^"\]}])*+[\]}]?+
          | (?:null | true | false | [0-9][0-9.]*+)(?=\s{0,8}+(?:[,}\]] | \Z))
          | (?:PARAMETER | [^\r\n"'\\] | \\(?!END_ESCAPE))++
        )
    |(?:PARAMETER | [^&\s"'<>\\] | \\(?!END_ESCAPE))++
    ))))
    """
)
_MULTIPART = _compile(
    rb"""
    (?P<kept>
        (?i:name)="?+[^"\r\n;=]{0,64}?(?i:auth(?:[_-]?token|orization))["\]]{0,2}+(?:;[^\r\n]{0,200}+)?+\r?\n
        (?:[A-Za-z-]{1,40}+:[^\r\n]{0,200}+\r?\n){0,4}+\r?\n
    )
    (?!\r?\n--)ANY+?(?=\r?\n-- | \Z)
    """
)
_SCHEMED = _compile(
    rb"""
    (?P<kept>SCHEME{1,4}+(?P<parameter>(?i:token)=(?:\\{0,8}["'] | PERCENT22)?)?)
    (?(parameter)|(?!PROSE)(?=[^\s"'&<>]{5}))
    (?:[^\s"'&<>\\] | \\(?!END_ESCAPE))++
    """
)
_SCHEME_WORD = re.compile(rb"basic|bearer|token[ \t+%\\]")
_WHOLE_HEADER = _compile(rb"(?P<kept>\s*+SCHEME{1,4}+)\S++\s*+")
_KEY = re.compile(rb"(?P<kept>rb(?:prv|tok)_[0-9A-Za-z]{4})[0-9A-Za-z]++")
_TRACKDRIVE_KEY = re.compile(rb"(?P<kept>td(?:prv|pub)[0-9A-Fa-f]{4})[0-9A-Fa-f]{8,}+")

_NEEDLESS = _compile(rb"(?:PERCENT|ESCAPEu00)(3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|2[DdEe]|7[Ee])")


def mask(data: bytes, secrets: Iterable[str] = ()) -> bytes:
    """The data with ``[masked]`` in place of every secret; of a key its first four characters stay.

    Args:
        data: any bytes: a path, a query, a header, a body.
        secrets: further secrets; those of less than five bytes are not looked for in base64.
    """
    wanted = tuple(secrets)
    given = _given(wanted) if wanted else None
    masked = _mask(data, given)
    if (b"%" in masked or b"\\u" in masked) and _NEEDLESS.search(masked):
        # Letters and digits that nobody needs to escape: %61uth_token is auth_token to whoever decodes it.
        plain = _NEEDLESS.sub(lambda escape: bytes.fromhex(escape[1].decode()), masked)
        if (again := _mask(plain, given)) != plain:
            return again
    return masked


def mask_text(text: str, secrets: Iterable[str] = ()) -> str:
    """The same for text."""
    return mask(text.encode("utf-8", "surrogatepass"), secrets).decode("utf-8", "surrogatepass")


SHORTEST_KEY = 16
"""Characters; anything shorter is no key, not even most of one."""


def mask_keys(text: str) -> str:
    """A value with keys masked that are known by their looks, and nothing else: people may have written anything."""
    if len(text) < SHORTEST_KEY:
        return text
    return _mask_keys(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def _mask_keys(data: bytes) -> bytes:
    data = _ENCODED_KEY.sub(MASK, data)
    for looks, keys in ((b"rb", _KEY), (b"td", _TRACKDRIVE_KEY)):
        if looks in data:
            data = keys.sub(rb"\g<kept>[masked]", data)
    return data


def _mask(data: bytes, given: re.Pattern[bytes] | None) -> bytes:
    if given is not None:
        data = given.sub(MASK, data)
    data = _mask_keys(data)
    lower = data.lower()
    named = b"auth" in lower
    if named:
        data = _NAMED.sub(rb"\g<kept>[masked]", data)
    if _SCHEME_WORD.search(lower):
        if whole := _WHOLE_HEADER.fullmatch(data):
            return whole["kept"] + MASK
        data = _SCHEMED.sub(rb"\g<kept>[masked]", data)
    return _MULTIPART.sub(rb"\g<kept>[masked]", data) if named else data


def _base64_cores(text: str) -> Iterator[bytes]:
    """What of the base64 form of a text is the same whatever stands around it, for each of the three alignments."""
    data = text.encode("utf-8", "surrogatepass")
    for before in range(3):
        first, end = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        yield b64encode(bytes(before) + data)[first:end]


_ENCODED_KEY = _compile(
    rb"(?:%b)(?:[A-Za-z0-9+/_-]|PERCENT2[BFbf]|ESCAPE(?:/|u002[BFbf]))*+(?:=|PERCENT3[Dd]|ESCAPEu003[Dd]){0,2}+"
    % b"|".join(core for prefix in (PUBLIC, PRIVATE, TOKEN, "tdpub", "tdprv") for core in _base64_cores(prefix))
)


@lru_cache(maxsize=256)
def _given(secrets: tuple[str, ...]) -> re.Pattern[bytes]:
    """A pattern of every form of every secret; what is masked already comes first, so that it stays as it is."""
    forms = [form for secret in sorted(secrets, key=len, reverse=True) if secret for form in _forms(secret)]
    return re.compile(b"|".join([re.escape(MASK), *forms]))


def _forms(secret: str) -> Iterator[bytes]:
    if "%" in secret or "\\" in secret:  # ambiguous letter by letter, so first as a whole, the longest form first
        encoded = quote(secret, safe="", errors="surrogatepass")
        for form in (quote(encoded), encoded, secret):
            yield b"(?i:%b)" % re.escape(form.encode("utf-8", "surrogatepass"))
    yield b"".join(map(_letter, secret))
    if len(secret.encode("utf-8", "surrogatepass")) >= _SHORTEST_IN_BASE64:
        plus, slash = b"(?:-|%b)" % _letter("+"), b"(?:_|%b)" % _letter("/")
        for core in _base64_cores(secret):
            yield core.replace(b"/", slash).replace(b"+", plus) + rb"[A-Za-z0-9+/_-]?={0,2}"


def _letter(letter: str) -> bytes:
    """A pattern for one character as it is, percent-encoded, or escaped as in JSON."""
    if letter in _UNRESERVED:
        return re.escape(letter.encode())
    data = letter.encode("utf-8", "surrogatepass")
    units = letter.encode("utf-16-be", "surrogatepass").hex(" ", 2).encode().split()
    ways = [b"".join(rb"\\{1,8}u(?i:%b)" % unit for unit in units)]
    ways += [_SHORT_ESCAPES[letter]] if letter in _SHORT_ESCAPES else []
    ways += [b"".join(b"%%(?:25){0,3}(?i:%02x)" % byte for byte in data), re.escape(data)]
    ways += [rb"\+"] if letter == " " else []
    return b"(?>%b)" % b"|".join(ways)
