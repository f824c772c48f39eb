"""How a receiver is reached: names, connections, certificates, and what is told when one of them fails."""

from __future__ import annotations

import asyncio

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from ringback import clock
from ringback.delivery.sender import Sender
from ringback.domain.addresses import Allowed
from ringback.domain.deliveries import State, judge
from ringback.domain.exchanges import Exchange, Outgoing
from tests.delivery.certificates import Authority
from tests.delivery.conftest import Run
from tests.delivery.receiver import Behaviour, answer, answering, deaf, receiving, saying
from tests.delivery.sending import HERE, SOON, Names, send

OK = answer("200 OK", body=b"{}")


def test_a_connection_is_used_again_and_its_times_are_told(run: Run) -> None:
    async def scenario() -> None:
        names = Names(hooks_example=[["127.0.0.1"]])
        async with receiving(answering(OK)) as receiver, Sender.open(HERE, lookup=names) as sender:
            outgoing = Outgoing("POST", f"http://hooks.example:{receiver.port}/")
            first, second = [await sender.send(outgoing) for _ in range(2)]
        assert receiver.connections == 1
        assert names.asked == ["hooks.example"]
        assert first.address == second.address == "127.0.0.1"
        assert None not in (first.took.dns, first.took.connect)
        assert (second.took.dns, second.took.connect) == (None, None)
        assert first.took.first_byte is not None
        assert first.took.first_byte <= first.took.total
        assert first.started_at <= second.started_at

    run(scenario())


def test_a_port_that_nobody_listens_on_is_a_problem(run: Run) -> None:
    exchange: Exchange = run(send("http://127.0.0.1:1/", timeout=5))
    assert exchange.problem == "connect_failed"
    assert "refused" in exchange.detail.lower() or "connect" in exchange.detail.lower()


@pytest.mark.parametrize(
    ("names", "ended", "trusted", "said"),
    [
        (("hooks.localhost",), False, False, "certificate"),
        (("other.localhost",), False, True, "ostname mismatch"),
        (("hooks.localhost",), True, True, "expired"),
    ],
    ids=["unknown authority", "other host", "expired"],
)
def test_a_bad_certificate_is_refused(
    run: Run, authority: Authority, names: tuple[str, ...], *, ended: bool, trusted: bool, said: str
) -> None:
    async def scenario() -> tuple[Exchange, list[bytes]]:
        async with receiving(answering(OK), tls=authority.serving(*names, ended=ended)) as receiver:
            tls = authority.trusting if trusted else None
            return await send(f"https://hooks.localhost:{receiver.port}/", tls=tls), receiver.requests

    exchange, requests = run(scenario())
    assert (exchange.problem, requests) == ("tls_failed", [])
    assert said in exchange.detail
    now = clock.now()
    assert judge(exchange, attempt=1, first_attempt_at=now, now=now, jitter=0).state is State.RETRYING


def test_a_good_certificate_is_believed_for_the_name_of_the_url(run: Run, authority: Authority) -> None:
    async def scenario() -> None:
        tls = authority.serving("hooks.example", "127.0.0.1")
        asked_for: list[str | None] = []
        tls.sni_callback = lambda _socket, name, _context: asked_for.append(name)
        names = Names(hooks_example=[["127.0.0.1"]])
        async with receiving(answering(OK), tls=tls) as receiver:
            for host in ("hooks.example", "HOOKS.EXAMPLE.", "127.0.0.1", "0x7f.1"):
                exchange = await send(f"https://{host}:{receiver.port}/", tls=authority.trusting, lookup=names)
                assert (exchange.status, exchange.problem, exchange.detail) == (200, None, "")
        assert receiver.header("host") == [f"127.0.0.1:{receiver.port}"]
        assert asked_for == ["hooks.example", "hooks.example", None, None]  # an address is no name to ask for (SNI)

    run(scenario())


def test_authorities_of_one_s_own_are_named_by_the_usual_setting(
    run: Run, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> Exchange:
        async with receiving(answering(OK), tls=authority.serving("127.0.0.1")) as receiver:
            return await send(f"https://127.0.0.1:{receiver.port}/")

    assert run(scenario()).problem == "tls_failed"
    bundle = authority.folder / "bundle.pem"
    bundle.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert run(scenario()).status == 200


@pytest.mark.parametrize("behaviour", [saying(OK), deaf], ids=["plain", "deaf"])
def test_who_speaks_no_tls_is_a_problem(run: Run, behaviour: Behaviour) -> None:
    async def scenario() -> Exchange:
        async with receiving(behaviour) as receiver:
            return await send(f"https://127.0.0.1:{receiver.port}/", timeout=SOON)

    exchange = run(scenario())
    assert exchange.problem in {"tls_failed", "connect_failed", "timeout"}
    assert exchange.status is None


def test_a_name_without_address_is_a_problem(run: Run) -> None:
    exchange: Exchange = run(send("https://nowhere.example/", lookup=Names()))
    assert (exchange.problem, exchange.detail) == ("dns_failed", "Name or service not known")
    empty: Exchange = run(send("https://empty.example/", lookup=Names(empty_example=[[]])))
    assert (empty.problem, empty.detail) == ("dns_failed", "the name has no address")


@pytest.mark.parametrize(("dns_seconds", "problem"), [(0.1, "dns_failed"), (9, "timeout")])
def test_a_name_server_that_hangs_is_not_waited_for_long(run: Run, dns_seconds: float, problem: str) -> None:
    asked = 0

    async def lookup(_name: str) -> list[str]:
        nonlocal asked
        asked += 1
        await asyncio.Event().wait()
        return []

    async def scenario() -> list[Exchange]:
        async with Sender.open(Allowed(), lookup=lookup, dns_seconds=dns_seconds) as sender:
            outgoing = Outgoing("POST", "https://slow.example/", timeout=SOON)
            return await asyncio.gather(*(sender.send(outgoing) for _ in range(5)))

    exchanges = run(scenario())
    assert {exchange.problem for exchange in exchanges} == {problem}
    assert asked == 1


def test_the_system_is_asked_for_names(run: Run) -> None:
    async def scenario() -> Exchange:
        async with Sender.open(Allowed()) as sender:
            return await sender.send(Outgoing("POST", "https://nowhere.invalid/"))

    assert run(scenario()).problem == "dns_failed"
