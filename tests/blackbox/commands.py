"""Clients that are a line in a shell: curl, wget, HTTPie."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.blackbox.python.asking import Ask


def curl(ask: Ask) -> list[str]:
    """The line as people write it; ``-i`` shows the headers."""
    line = ["curl", "-sS", "-i", *_headers(ask, "-H")]
    if ask.pair:
        line += ["-u", ":".join(ask.pair)]
    if ask.document is not None:
        line += ["-d" if ask.body == "json_as_form" else "--json", _json(ask)]
    for name, value in (ask.form or {}).items():
        line += ["-F" if ask.body == "multipart" else "-d", f"{name}={value}"]
    return [*line, *(["-X", "POST"] if ask.body == "query" else []), ask.target]


def wget(ask: Ask) -> list[str]:
    """The line as people write it; the rest shows status and headers, also of what was refused."""
    line = [
        "wget",
        "-nv",
        "-S",
        "-O",
        "-",
        "--save-headers",
        "--content-on-error",
        *_headers(ask, "--header=", joined=True),
    ]
    if ask.pair:
        line += ["--user", ask.pair[0], "--password", ask.pair[1]]
    if ask.document is not None:
        line += [f"--post-data={_json(ask)}"]
        line += [] if ask.body == "json_as_form" else ["--header=Content-Type: application/json"]
    if ask.form is not None:
        line += ["--post-data=" + "&".join(f"{name}={value}" for name, value in ask.form.items())]
    return [*line, *(["--post-data="] if ask.body == "query" else []), ask.target]


def answered(shown: bytes, told: bytes) -> bytes:
    """The answer among what a command printed: wget keeps the body of a 401 to itself, and tells of its headers."""
    if shown:
        return shown
    lines = [line.strip() for line in told.splitlines() if line.startswith(b"  ") and b"ontent-" not in line]
    return b"\r\n".join([*lines, b"", b""])


def httpie(ask: Ask) -> list[str]:
    """The line as people write it; ``--print=hb`` shows the headers."""
    line = [str(Path(sys.executable).with_name("http")), "--ignore-stdin", "--print=hb", "--pretty=none"]
    if ask.pair:
        line += ["-a", ":".join(ask.pair)]
    if ask.body == "json_as_form":
        line += ["--raw", _json(ask)]
    elif ask.form is not None:
        line += ["--multipart" if ask.body == "multipart" else "-f"]
    line += [ask.method, ask.target, *(f"{name}:{value}" for name, value in ask.headers.items())]
    if ask.form is not None:
        line += [f"{name}={value}" for name, value in ask.form.items()]
    if ask.document is not None and ask.body != "json_as_form":
        line += ["buyer_converted:=true", "revenue:=42.00", "offer_converted=true"]
        line += {"json": ["post_call_tokens:={}"], "json_nested": ["post_call_tokens[first_name]=Jane"]}.get(
            ask.body, ["post_call_tokens:=[]"]
        )
        line += [f"auth_token={ask.token}"] if "auth_token" in ask.document else []
    return line


def _json(ask: Ask) -> str:
    return json.dumps(ask.document)


def _headers(ask: Ask, option: str, *, joined: bool = False) -> list[str]:
    told = [f"{name}: {value}" for name, value in ask.headers.items()]
    return [f"{option}{line}" for line in told] if joined else [word for line in told for word in (option, line)]
