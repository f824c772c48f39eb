"""Special addresses, each with its kind, and what an operator can allow."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.addresses import Allowed, AllowedError, Kind, special
from ringback.domain.hosts import Host, read_host, read_target

V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(IPv6Address)
NOTHING = Allowed()


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("0.0.0.1", Kind.UNSPECIFIED),
        ("0.255.255.255", Kind.UNSPECIFIED),
        ("10.0.0.0", Kind.PRIVATE),
        ("10.255.255.255", Kind.PRIVATE),
        ("100.64.0.0", Kind.SHARED),
        ("100.127.255.255", Kind.SHARED),
        ("100.100.100.200", Kind.METADATA),
        ("127.0.0.1", Kind.LOOPBACK),
        ("127.255.255.255", Kind.LOOPBACK),
        ("168.63.129.16", Kind.METADATA),
        ("169.254.0.0", Kind.LINK_LOCAL),
        ("169.254.169.254", Kind.METADATA),
        ("169.254.170.2", Kind.METADATA),
        ("172.16.0.0", Kind.PRIVATE),
        ("172.31.255.255", Kind.PRIVATE),
        ("192.0.0.1", Kind.RESERVED),
        ("192.0.0.192", Kind.METADATA),
        ("192.0.2.1", Kind.DOCUMENTATION),
        ("192.88.99.1", Kind.RESERVED),
        ("192.168.255.255", Kind.PRIVATE),
        ("198.18.0.0", Kind.BENCHMARKING),
        ("198.19.255.255", Kind.BENCHMARKING),
        ("198.51.100.1", Kind.DOCUMENTATION),
        ("203.0.113.1", Kind.DOCUMENTATION),
        ("224.0.0.0", Kind.MULTICAST),
        ("239.255.255.255", Kind.MULTICAST),
        ("240.0.0.0", Kind.RESERVED),
        ("255.255.255.254", Kind.RESERVED),
        ("255.255.255.255", Kind.BROADCAST),
        ("::", Kind.UNSPECIFIED),
        ("::1", Kind.LOOPBACK),
        ("::2", Kind.RESERVED),
        ("::8.8.8.8", Kind.RESERVED),
        ("::127.0.0.1", Kind.RESERVED),
        ("::ffff:0:8.8.8.8", Kind.RESERVED),
        ("::ffff:10.0.0.1", Kind.PRIVATE),
        ("::ffff:127.0.0.1", Kind.LOOPBACK),
        ("::ffff:169.254.169.254", Kind.METADATA),
        ("64:ff9b::10.0.0.1", Kind.PRIVATE),
        ("64:ff9b::169.254.169.254", Kind.METADATA),
        ("64:ff9b:1::8.8.8.8", Kind.TRANSLATED),
        ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Kind.TRANSLATED),
        ("100::1", Kind.RESERVED),
        ("2001::1", Kind.UNSPECIFIED),  # Teredo, with no server
        ("2001:0:a00:1::f7f7:f7f7", Kind.PRIVATE),  # Teredo, its server at 10.0.0.1
        ("2001:0:808:808::f5ff:fffe", Kind.PRIVATE),  # Teredo, its client at 10.0.0.1
        ("2001:2::1", Kind.BENCHMARKING),
        ("2001:10::1", Kind.RESERVED),
        ("2001:20::1", Kind.RESERVED),
        ("2001:db8::1", Kind.DOCUMENTATION),
        ("2002:a00:1::", Kind.PRIVATE),
        ("2002:7f00:1::1", Kind.LOOPBACK),
        ("3fff::1", Kind.DOCUMENTATION),
        ("4000::1", Kind.RESERVED),
        ("5f00::1", Kind.RESERVED),
        ("fc00::1", Kind.PRIVATE),
        ("fd00:ec2::254", Kind.METADATA),
        ("fdff:ffff::1", Kind.PRIVATE),
        ("fe80::1", Kind.LINK_LOCAL),
        ("fe80::1%eth0", Kind.LINK_LOCAL),
        ("fec0::1", Kind.PRIVATE),
        ("ff02::1", Kind.MULTICAST),
    ],
)
def test_special_addresses_are_known_by_their_kind(address: str, kind: Kind) -> None:
    found = special(ip_address(address))
    assert found is not None
    assert found.kind is kind
    assert found.reason.startswith(str(ip_address(address)))
    assert str(kind) in found.reason


def test_where_an_address_leads_is_told() -> None:
    found = special(IPv6Address("64:ff9b::10.0.0.1"))
    assert found is not None
    assert found.reason == "64:ff9b::a00:1 leads to 10.0.0.1, a private address"


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
        *("128.0.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0"),
        *("198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
        *("2002:808:808::", "2001:0:808:808::f7f7:f7f7", "2001:200::1", "2600::1", "2a00:1450:4001::1"),
    ],
)
def test_ordinary_addresses_are_not(address: str) -> None:
    assert special(ip_address(address)) is None


@given(V4 | V6)
def test_nothing_is_ordinary_that_the_standard_library_knows_to_be_special(address: IPv4Address | IPv6Address) -> None:
    if special(address) is None:
        inner = None
        if isinstance(address, IPv6Address):
            inner = address.ipv4_mapped or address.sixtofour or address.teredo
        assert inner or address.is_global or int(address) >> 32 == 0x64FF9B << 64


@given(V4)
def test_an_address_within_another_is_judged_alike(address: IPv4Address) -> None:
    alone = special(address)
    for outer in (
        IPv6Address(0xFFFF << 32 | int(address)),
        IPv6Address(0x64FF9B << 96 | int(address)),
        IPv6Address(0x2002 << 112 | int(address) << 80),
        IPv6Address(0x20010000 << 96 | 0x08080808 << 64 | int(address) ^ 0xFFFFFFFF),
        IPv6Address(0x20010000 << 96 | int(address) << 64 | 0xF7F7F7F7),
    ):
        found = special(outer)
        assert (found and found.kind) == (alone and alone.kind)


def objection(allowed: str, host: str, address: str, *, plain: bool = False) -> str | None:
    told = Allowed.parse(allowed).objection(read_host(host), ip_address(address), plain=plain)
    return told and told.code


@pytest.mark.parametrize(
    ("allowed", "host", "address", "encrypted", "plain"),
    [
        ("", "a.example", "8.8.8.8", None, "scheme_refused"),
        ("", "a.example", "10.0.0.1", "address_refused", "address_refused"),
        ("10.0.0.0/8", "a.example", "10.0.0.1", None, None),
        ("10.0.0.0/8", "a.example", "::ffff:10.0.0.1", None, None),
        ("10.0.0.0/8", "a.example", "64:ff9b::10.0.0.1", "address_refused", "address_refused"),
        ("10.0.0.0/8", "a.example", "127.0.0.1", "address_refused", "address_refused"),
        ("10.0.0.0/8", "a.example", "8.8.8.8", None, "scheme_refused"),
        ("8.8.8.8", "a.example", "8.8.8.8", None, None),
        ("a.example", "a.example", "8.8.8.8", None, None),
        ("a.example", "b.example", "8.8.8.8", None, "scheme_refused"),
        ("*.example", "a.example", "10.0.0.1", None, None),
        ("*.example", "a.example", "127.0.0.1", None, None),
        ("*.example", "a.example", "100.64.0.1", None, None),
        ("*.example", "a.example", "fd12::1", None, None),
        ("*.example", "a.example", "169.254.169.254", "address_refused", "address_refused"),
        ("*.example", "a.example", "fd00:ec2::254", "address_refused", "address_refused"),
        ("*.example", "a.example", "fe80::1", "address_refused", "address_refused"),
        ("*.example", "a.example", "224.0.0.1", "address_refused", "address_refused"),
        ("169.254.169.254, *.example", "a.example", "169.254.169.254", None, None),
        ("fd00::/8", "a.example", "fd00:ec2::254", None, None),
        ("127.0.0.1", "127.1", "127.0.0.1", None, None),
        ("[::1]", "[::1]", "::1", None, None),
    ],
)
def test_what_is_allowed_may_be_sent_to(
    allowed: str, host: str, address: str, encrypted: str | None, plain: str | None
) -> None:
    assert objection(allowed, host, address) == encrypted
    assert objection(allowed, host, address, plain=True) == plain


@pytest.mark.parametrize(
    ("allowed", "url", "code"),
    [
        ("", "https://a.example/", None),
        ("", "http://a.example/", "scheme_refused"),
        ("a.example", "http://a.example/", None),
        ("10.0.0.0/8", "http://a.example/", None),  # open until its addresses are known
        ("", "https://10.0.0.1/", "address_refused"),
        ("10.0.0.0/8", "http://10.0.0.1/", None),
        ("", "https://8.8.8.8/", None),
        ("", "http://8.8.8.8/", "scheme_refused"),
        ("", "https://a.localhost/", "address_refused"),
        ("*.localhost", "http://a.localhost/", None),
        ("::1", "http://a.localhost/", None),
        ("127.0.0.0/8", "http://a.localhost/", None),
    ],
)
def test_what_can_be_said_before_a_name_is_resolved(allowed: str, url: str, code: str | None) -> None:
    target = read_target(url)
    told = Allowed.parse(allowed).objection_to(target.host, plain=target.is_plain)
    assert (told and told.code) == code


@pytest.mark.parametrize(
    ("text", "networks", "hosts"),
    [
        ("", [], []),
        (" , ", [], []),
        ("10.0.0.0/8, Hooks.internal,*.localhost", ["10.0.0.0/8"], ["hooks.internal", "*.localhost"]),
        ("10.1.2.3/8", ["10.0.0.0/8"], []),
        ("fd00::/8,::1,[::2]", ["fd00::/8", "::1/128", "::2/128"], []),
        ("127.1", [], ["127.0.0.1"]),
    ],
)
def test_a_list_is_read(text: str, networks: list[str], hosts: list[str]) -> None:
    allowed = Allowed.parse(text)
    assert [str(network) for network in allowed.networks] == networks
    assert [str(pattern) for pattern in allowed.hosts] == hosts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0.0.0.0/0", "too wide"),
        ("10.0.0.0/7", "none wider than /8"),
        ("::/0", "none wider than /7"),
        ("10.0.0.0/33", "not a network"),
        ("https://hooks.internal/", "not a network"),
        ("hooks.internal:8080", "without scheme and port"),
        ("*", "as hooks.internal or *.localhost"),
        ("a b", "is not a host name"),
    ],
)
def test_a_list_that_can_t_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(AllowedError) as caught:
        Allowed.parse(f"10.0.0.0/8, {text}")
    assert said in str(caught.value)


@given(V4 | V6, st.sampled_from(["a.example", IPv4Address("8.8.8.8")]))
def test_without_a_setting_nothing_special_and_nothing_plain_passes(
    address: IPv4Address | IPv6Address, host: Host
) -> None:
    assert (NOTHING.objection(host, address, plain=False) is None) == (special(address) is None)
    assert NOTHING.objection(host, address, plain=True) is not None
