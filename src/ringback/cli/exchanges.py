"""``ringback check`` and ``ringback send``: what a sender tries by hand."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringback import entropy
from ringback.cli.declaring import read_text
from ringback.cli.options import AsJson
from ringback.cli.printing import show, show_json, show_table
from ringback.domain.attributes import ATTRIBUTES
from ringback.domain.errors import Mistake
from ringback.domain.masking import mask_text

if TYPE_CHECKING:
    from ringback.cli.http import Answer, Request
    from ringback.domain.preflight import Checked, Receiver

Basic = Annotated[
    str | None,
    typer.Option(metavar="VALUE", help="What stands behind Basic, or public key:private key; @FILE reads a file."),
]
Token = Annotated[str | None, typer.Option(metavar="VALUE", help="What stands behind Token; @FILE reads a file.")]
Body = Annotated[Path | None, typer.Option(metavar="FILE", help="The body, as JSON; - reads standard input.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(check)
    app.command()(send)


def check(
    urls: Annotated[list[str], typer.Argument(metavar="URL…", help="Endpoints, or where receivers are.")],
    *,
    basic: Basic = None,
    token: Token = None,
    body: Body = None,
    as_json: AsJson = False,
) -> None:
    """Ask receivers which attributes they would let you update; nothing is changed. Exit code 1 if any is denied."""
    import asyncio

    from ringback.domain.preflight import EVERY_ATTRIBUTE

    content = json.dumps(EVERY_ATTRIBUTE).encode() if body is None else read_text(body).encode()
    found = asyncio.run(_check_all(urls, authorization(basic, token), content))
    if as_json:
        show_json([_document(each) for each in found])
    else:
        columns = ("Receiver", *(attribute.label for attribute in ATTRIBUTES), "Answer")
        show_table(columns, [(each.receiver.name, *each.row, _brief(each)) for each in found], "")
        for each in found:
            _explain(each)
    if not all(each.is_granted for each in found):
        raise typer.Exit(1)


async def _check_all(urls: Sequence[str], header: str, body: bytes) -> list[Checked]:
    import asyncio

    from ringback.cli.http import checked
    from ringback.domain.preflight import receiver

    asked = [receiver(checked(url).geturl(), entropy.new_call_uuid()) for url in urls]
    return await asyncio.gather(*(_check(each, header, body) for each in asked))


async def _check(asked: Receiver, header: str, body: bytes) -> Checked:
    """Ask one receiver; it gets neither credential nor body before it has shown that it is a Ringback."""
    from ringback.cli.http import HttpError, Request, exchange
    from ringback.domain.preflight import Checked, is_ringback, read_answer

    headers = {"Authorization": header, "Content-Type": "application/json", "Ringback-Dry-Run": "true"}
    try:
        version = await exchange(Request("GET", f"{asked.base}/version"))
        if not is_ringback(version.status, version.body):
            return Checked(asked, code="not_ringback", message="This is no Ringback, so nothing was sent to it.")
        answer = await exchange(Request("POST", asked.endpoint, headers, body))
    except HttpError as error:
        return Checked(asked, code="not_reached", message=str(error))
    return read_answer(asked, answer.status, answer.body)


def _brief(found: Checked) -> str:
    return f"{found.status or ''} {found.code}".strip()


def _explain(found: Checked) -> None:
    if found.is_granted:
        return
    show(f"{found.receiver.name}: {found.message} {found.hint}".rstrip())
    for each in found.grant_at:
        show(f"  {each}")


def _document(found: Checked) -> dict[str, object]:
    return {
        "receiver": found.receiver.name,
        "granted": found.is_granted,
        "status": found.status,
        "code": found.code,
        "message": found.message,
        "hint": found.hint,
        "verdicts": dict(found.verdicts),
    }


def send(
    url: Annotated[str, typer.Argument(metavar="URL", help="The endpoint of one call.")],
    *,
    basic: Basic = None,
    token: Token = None,
    body: Body = None,
    revenue: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Of the body that is sent without FILE.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Have it decided only; of a Ringback.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send one postback and show the exchange, secrets masked. Exit code 1 if it was refused."""
    from ringback.cli.http import Request
    from ringback.cli.http import send as ask

    if body is not None and revenue is not None:
        raise Mistake("give either --body or --revenue")
    content = _smallest(revenue) if body is None else read_text(body)
    headers = {"Authorization": authorization(basic, token), "Content-Type": "application/json"}
    if dry_run:
        headers["Ringback-Dry-Run"] = "true"
    request = Request("POST", url, headers, content.encode())
    answer = ask(request)
    secrets = tuple(filter(None, (secret(basic), secret(token), headers["Authorization"].partition(" ")[2])))
    if as_json:
        show_json(_exchange(request, answer, secrets))
    else:
        _show_exchange(request, answer, secrets)
    if answer.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
        raise typer.Exit(1)


def _smallest(revenue: str | None) -> str:
    """The guide's smallest body."""
    paid = {} if revenue is None else {"revenue": revenue}
    return json.dumps({"buyer_converted": "true", **paid, "offer_converted": "true", "post_call_tokens": {}})


def authorization(basic: str | None, token: str | None) -> str:
    """The Authorization header.

    Raises:
        Mistake: not exactly one credential is given.
    """
    pair, value = secret(basic), secret(token)
    if bool(pair) == bool(value):
        raise Mistake("give one credential: --basic or --token")
    if pair:
        return f"Basic {b64encode(pair.encode()).decode() if ':' in pair else pair}"
    return f"Token {value}"


def secret(given: str | None) -> str:
    """What an option says, or the file that it names."""
    if given is not None and given.startswith("@"):
        return read_text(Path(given[1:])).strip()
    return given or ""


def _exchange(request: Request, answer: Answer, secrets: Sequence[str]) -> dict[str, object]:
    return {
        "request": {
            "method": request.method,
            "url": mask_text(request.url, secrets),
            "headers": {name: mask_text(value, secrets) for name, value in _sent(request).items()},
            "body": mask_text(request.body.decode(), secrets),
        },
        "status": answer.status,
        "headers": {name: mask_text(value, secrets) for name, value in answer.headers.items()},
        "body": mask_text(answer.body.decode(errors="replace"), secrets),
    }


def _sent(request: Request) -> dict[str, str]:
    """The headers, of a credential only its scheme."""
    scheme = request.headers["Authorization"].partition(" ")[0]
    return {**request.headers, "Authorization": f"{scheme} [masked]"}


def _show_exchange(request: Request, answer: Answer, secrets: Sequence[str]) -> None:
    show(mask_text(f"> {request.method} {request.url}", secrets), "bold")
    for name, value in _sent(request).items():
        show(f"> {name}: {value}", "dim")
    show(f"\n{mask_text(request.body.decode(), secrets)}\n")
    show(f"< {answer.status} {answer.reason}", "bold")
    for name, value in answer.headers.items():
        show(mask_text(f"< {name}: {value}", secrets), "dim")
    show(f"\n{mask_text(_pretty(answer.body), secrets)}")


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")
