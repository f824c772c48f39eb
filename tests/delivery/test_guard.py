"""Where nothing is sent, however it is written, and whatever a name server says."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address
from ssl import create_default_context

import pytest

from ringback import clock
from ringback.delivery.connections import Connections
from ringback.delivery.guard import Guard
from ringback.delivery.journeys import Journey
from ringback.delivery.lookups import SystemLookup
from ringback.delivery.sender import Sender
from ringback.domain.addresses import Address, Allowed
from ringback.domain.deliveries import State, judge
from ringback.domain.exchanges import Exchange, Outgoing
from ringback.domain.hosts import Target, read_target
from tests.delivery.conftest import Run
from tests.delivery.receiver import answer, answering, receiving
from tests.delivery.sending import HERE, Names, send

OK = answer("200 OK")
NOTHING = Allowed()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0X7F.0x0.1",
        "017700000001",
        "0177.0.0.01",
        "127.0.0.1.",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "0",
        "10.0.0.1",
        "192.168.1.1",
        "172.31.255.255",
        "169.254.169.254",
        "2852039166",
        "100.64.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::10.0.0.1]",
        "[2002:7f00:1::]",
        "[2001:0:808:808::80ff:fffe]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[fc00::1]",
        "[fec0::1]",
        "[ff02::1]",
        "localhost",
        "LocalHost.",
        "hooks.localhost",
    ],
)
def test_special_addresses_are_refused_in_every_spelling(scheme: str, host: str) -> None:
    exchange = asyncio.run(send(f"{scheme}://{host}:9/path", allowed=NOTHING, lookup=Names()))
    assert (exchange.status, exchange.problem) == (None, "address_refused")
    assert exchange.address is None
    now = clock.now()
    verdict = judge(exchange, attempt=1, first_attempt_at=now, now=now, jitter=0)
    assert verdict.state is State.HELD


@pytest.mark.parametrize(
    "host", ["8.8.8.8@127.0.0.1", "user:secret@hooks.example", "hooks.example\\@127.0.0.1", "[fe80::1%25eth0]", "[::1"]
)
def test_what_programs_read_differently_is_refused(host: str) -> None:
    exchange = asyncio.run(send(f"https://{host}/", lookup=Names()))
    assert (exchange.problem, exchange.address) == ("bad_url", None)
    assert "secret" not in exchange.detail


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.1.2.3", "192.168.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a9fe:a9fe"],
        ["2002:a9fe:a9fe::"],
        ["fe80::1%1"],
        ["0.0.0.0"],  # noqa: S104 - what a name server may say
    ],
)
def test_names_that_lead_to_special_addresses_are_refused(addresses: list[str]) -> None:
    exchange = asyncio.run(send("https://hooks.example/", lookup=Names(hooks_example=[addresses])))
    assert (exchange.problem, exchange.address) == ("address_refused", None)


def test_a_name_that_changes_its_address_leads_where_it_was_vetted(run: Run) -> None:
    async def scenario() -> None:
        names = Names(rebind_example=[["127.0.0.2"], ["127.0.0.1"]])
        allowed = Allowed.parse("127.0.0.2")
        async with (
            receiving(answering(OK), host="127.0.0.2") as vetted,
            receiving(answering(OK), port=vetted.port) as inner,
            Sender.open(allowed, lookup=names) as sender,
        ):
            outgoing = Outgoing("POST", f"http://rebind.example:{vetted.port}/")
            first = await sender.send(outgoing)
            assert (first.status, first.address) == (200, "127.0.0.2")
            assert vetted.header("host") == [f"rebind.example:{vetted.port}"]
            assert names.asked == ["rebind.example"]
        async with Sender.open(allowed, lookup=names) as sender:
            second = await sender.send(outgoing)
            assert second.problem == "address_refused"
        assert (vetted.connections, inner.connections) == (1, 0)

    run(scenario())


def test_of_several_addresses_only_the_vetted_are_connected_to(run: Run) -> None:
    async def scenario() -> None:
        names = Names(both_example=[["127.0.0.1", "10.0.0.1", "127.0.0.2"]])
        async with (
            receiving(answering(OK), host="127.0.0.2") as vetted,
            receiving(answering(OK), port=vetted.port) as inner,
        ):
            url = f"http://both.example:{vetted.port}/"
            exchange = await send(url, allowed=Allowed.parse("127.0.0.2"), lookup=names)
        assert (exchange.status, exchange.address, inner.connections) == (200, "127.0.0.2", 0)

    run(scenario())


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.0/8", "hooks.example"),
        ("127.0.0.0/8", "a.localhost"),
        ("hooks.example", "hooks.example"),
        ("*.example", "HOOKS.example."),
        ("*.localhost", "acme.localhost"),
        ("localhost", "localhost"),
    ],
)
def test_what_the_operator_allows_is_sent_to_also_without_encryption(run: Run, allowed: str, host: str) -> None:
    async def scenario() -> Exchange:
        async with receiving(answering(OK)) as receiver:
            names = Names(hooks_example=[["127.0.0.1"]])
            return await send(f"http://{host}:{receiver.port}/", allowed=Allowed.parse(allowed), lookup=names)

    exchange = run(scenario())
    assert (exchange.status, exchange.problem, exchange.detail) == (200, None, "")


@pytest.mark.parametrize("allowed", ["", "127.0.0.1", "*.localhost"])
def test_ordinary_hosts_are_not_sent_to_without_encryption(allowed: str) -> None:
    names = Names(hooks_example=[["8.8.8.8"]])
    exchange = asyncio.run(send("http://hooks.example/", allowed=Allowed.parse(allowed), lookup=names))
    assert (exchange.problem, exchange.address) == ("scheme_refused", None)
    exchange = asyncio.run(send("http://8.8.8.8/", allowed=Allowed.parse(allowed), lookup=names))
    assert exchange.problem == "scheme_refused"
    exchange = asyncio.run(send("ftp://hooks.example/", allowed=Allowed.parse(allowed), lookup=names))
    assert exchange.problem == "scheme_refused"


def test_an_allowed_name_does_not_open_the_metadata_of_a_cloud() -> None:
    names = Names(metadata_internal=[["169.254.169.254"]])
    exchange = asyncio.run(send("http://metadata.internal/", allowed=Allowed.parse("*.internal"), lookup=names))
    assert exchange.problem == "address_refused"
    assert exchange.detail == "169.254.169.254 is a metadata service of a cloud"


def test_names_below_localhost_are_never_asked_for(run: Run) -> None:
    async def scenario() -> list[str]:
        names = Names(a_localhost=[["8.8.8.8"]])
        async with receiving(answering(OK)) as receiver:
            assert (await send(f"http://a.localhost:{receiver.port}/", lookup=names)).status == 200
        return names.asked

    assert run(scenario()) == []


class Careless(Guard):
    """A guard that hands on what it has not vetted."""

    async def resolve(self, _target: Target, _journey: Journey) -> list[Address]:
        return [IPv4Address("127.0.0.1")]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_even_past_a_careless_guard_nothing_is_connected_to_what_was_not_vetted(run: Run, scheme: str) -> None:
    async def scenario() -> tuple[Exchange, int]:
        async with receiving(answering(OK)) as receiver:
            allowed = Allowed.parse("10.0.0.0/8")
            connections = Connections(Careless(allowed, Names()), create_default_context())
            outgoing = Outgoing("POST", f"{scheme}://hooks.example:{receiver.port}/")
            return await Sender(connections, allowed).send(outgoing), receiver.connections

    exchange, connections = run(scenario())
    assert (exchange.problem, exchange.address, connections) == ("address_refused", None, 0)


def test_the_system_knows_this_machine(run: Run) -> None:
    async def scenario() -> list[str]:
        lookup = SystemLookup()
        try:
            return list(await lookup("127.0.0.1"))
        finally:
            lookup.close()

    assert run(scenario()) == ["127.0.0.1"]


def test_a_lookup_that_is_given_up_is_not_missed(run: Run) -> None:
    ended = asyncio.Event()

    async def lookup(_name: str) -> list[str]:
        await ended.wait()
        raise OSError("too late")

    async def scenario() -> None:
        guard = Guard(HERE, lookup, 0.05)
        target = read_target("https://slow.example/")
        with pytest.raises(OSError, match="no name server answered"):
            await guard.resolve(target, Journey())
        ended.set()
        with pytest.raises(OSError, match="too late"):
            await guard.resolve(target, Journey())
        await guard.close()

    run(scenario())
