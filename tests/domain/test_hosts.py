"""Hosts and URLs: every way of writing one, and that what is read is what is written."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.hosts import HostPattern, Target, UrlError, is_localhost, read_host, read_target

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z][a-z0-9]{0,8}){0,3}", fullmatch=True)
WAYS = (str, hex, lambda number: f"0{number:o}", lambda number: f"{number:d}", lambda number: f"0X{number:X}")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("hooks.example.com", "hooks.example.com"),
        ("HOOKS.Example.COM.", "hooks.example.com"),
        ("a_b.example", "a_b.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("\uff45xample.com", "example.com"),
        ("example。com", "example.com"),
        ("exam\u00adple.com", "example.com"),
        ("intranet", "intranet"),
        ("1.example", "1.example"),
        ("0x7f.example", "0x7f.example"),
        ("8.8.8.8", IPv4Address("8.8.8.8")),
        ("8.8.8.8.", IPv4Address("8.8.8.8")),
        ("127.1", IPv4Address("127.0.0.1")),
        ("127.0.1", IPv4Address("127.0.0.1")),
        ("127.256", IPv4Address("127.0.1.0")),
        ("2130706433", IPv4Address("127.0.0.1")),
        ("0x7f000001", IPv4Address("127.0.0.1")),
        ("0x7F.1", IPv4Address("127.0.0.1")),
        ("017700000001", IPv4Address("127.0.0.1")),
        ("0177.00.0x0.1", IPv4Address("127.0.0.1")),
        ("①②⑦.⓪.⓪.①", IPv4Address("127.0.0.1")),
        ("127\u200b.0.0.1", IPv4Address("127.0.0.1")),
        ("0", IPv4Address(0)),
        ("0x", IPv4Address(0)),
        ("4294967295", IPv4Address("255.255.255.255")),
        ("[::1]", IPv6Address("::1")),
        ("[::FFFF:127.0.0.1]", IPv6Address("::ffff:7f00:1")),
    ],
)
def test_a_host_is_read_in_every_spelling(text: str, host: object) -> None:
    assert read_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "a..b", ".a", "a b", "a/b", "-a.example", "a-.example", "a" * 64, ".".join(["a" * 60] * 5)),
        *("a%2eb", "a\x00b", "a:80", "a@b", "\ud800.example", "..", "a.example.."),
        *("1.2.3.4.5", "256.1.1.1", "1.256.1.1", "1.2.3.256", "4294967296", "127.65536.1", "1.2.16777216"),
        *("08", "0x7g.1.1.1", "0xg.0", "1..2", "example.1", "a.0x1", "09.0"),
        *("[", "[]", "[::1", "[::g]", "[1.2.3.4]", "[fe80::1%eth0]", "::1", "[[::1]]", "[::1]]"),
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(UrlError) as caught:
        read_host(text)
    assert caught.value.objection.code == "bad_url"
    assert str(caught.value).isprintable()


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.lists(st.sampled_from(WAYS), min_size=4, max_size=4))
def test_every_way_to_write_an_address_means_it(address: int, parts: int, ways: list[object]) -> None:
    numbers = [address >> 8 * (3 - place) & 0xFF for place in range(parts - 1)]
    numbers.append(address & (256 ** (5 - parts) - 1))
    text = ".".join(way(number) for way, number in zip(ways, numbers, strict=False))  # type: ignore[operator]
    assert read_host(text) == IPv4Address(address)


@given(st.text(max_size=30))
def test_any_text_is_a_host_or_refused_and_reads_the_same_again(text: str) -> None:
    try:
        host = read_host(text)
    except UrlError:
        return
    assert read_host(f"[{host}]" if isinstance(host, IPv6Address) else str(host)) == host


@pytest.mark.parametrize(
    ("url", "target", "again"),
    [
        ("https://a.example", Target("https", "a.example", 443, "/"), "https://a.example/"),
        (" HTTPS://A.example:443/x ", Target("https", "a.example", 443, "/x"), "https://a.example/x"),
        ("http://a.example:/", Target("http", "a.example", 80, "/"), "http://a.example/"),
        ("http://a.example:443/", Target("http", "a.example", 443, "/"), "http://a.example:443/"),
        ("https://[::1]:8443?q", Target("https", IPv6Address("::1"), 8443, "/?q"), "https://[::1]:8443/?q"),
        ("https://127.1/", Target("https", IPv4Address("127.0.0.1"), 443, "/"), "https://127.0.0.1/"),
        ("https://a.example/?", Target("https", "a.example", 443, "/?"), "https://a.example/?"),
        (
            "https://a.example/a b/%2F/ü?x[y]={1}&z=#part",
            Target("https", "a.example", 443, "/a%20b/%2F/%C3%BC?x[y]=%7B1%7D&z="),
            "https://a.example/a%20b/%2F/%C3%BC?x[y]=%7B1%7D&z=",
        ),
    ],
)
def test_a_url_is_read_and_written_in_one_way(url: str, target: Target, again: str) -> None:
    assert read_target(url) == target
    assert target.url == again
    assert read_target(again) == target


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "bad_url"),
        ("a.example/path", "bad_url"),
        ("//a.example/", "bad_url"),
        ("https:/a.example", "bad_url"),
        ("https:///path", "bad_url"),
        ("https://a.example:0/", "bad_url"),
        ("https://a.example:65536/", "bad_url"),
        ("https://a.example:x/", "bad_url"),
        ("https://a.example:80:80/", "bad_url"),
        ("https://::1/", "bad_url"),
        ("https://u:p@a.example/", "bad_url"),
        ("https://a.example\\@b.example/", "bad_url"),
        ("https://a.example/\r\nHost: b.example", "bad_url"),
        ("https://a.example/\x00", "bad_url"),
        ("https://[a.example/", "bad_url"),
        ("ftp://a.example/", "scheme_refused"),
        ("file:///etc/passwd", "scheme_refused"),
        ("gopher://127.0.0.1:25/", "scheme_refused"),
    ],
)
def test_a_url_that_can_t_be_sent_to_is_refused(url: str, code: str) -> None:
    with pytest.raises(UrlError) as caught:
        read_target(url)
    assert caught.value.objection == (code, str(caught.value))


@given(NAMES, st.integers(1, 65535), st.text(max_size=20), st.text(max_size=20))
def test_a_path_never_leaves_its_place(name: str, port: int, path: str, query: str) -> None:
    try:
        target = read_target(f"https://{name}.example:{port}/{path}?{query}")
    except UrlError:
        return
    assert (target.host, target.port) == (f"{name}.example", port)
    assert target.path.startswith("/")
    assert target.path.isascii()
    assert not set(target.path) & set(" #\\\r\n\t")
    assert read_target(target.url) == target


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("hooks.example.com", ["hooks.example.com"], ["a.hooks.example.com", "xhooks.example.com", "example.com"]),
        ("*.example.com", ["a.example.com", "a.b.example.com"], ["example.com", "aexample.com", "a.example.com.evil"]),
        ("*.LOCALHOST.", ["acme.localhost"], ["localhost"]),
        ("127.1", [IPv4Address("127.0.0.1")], ["a.127.0.0.1"]),
        ("[::1]", [IPv6Address("::1")], [IPv6Address("::2")]),
    ],
)
def test_a_pattern_matches_whole_labels(pattern: str, matching: list[str], others: list[str]) -> None:
    read = HostPattern.parse(pattern)
    assert all(read.matches(host) for host in matching)
    assert not any(read.matches(host) for host in others)


def test_the_fewer_hosts_a_pattern_means_the_higher_it_ranks() -> None:
    patterns = [HostPattern.parse(text) for text in ("a.b.example", "*.example", "b.example", "*.a.example")]
    ranked = sorted(patterns, key=lambda pattern: pattern.rank)
    assert [str(pattern) for pattern in ranked] == ["*.example", "*.a.example", "b.example", "a.b.example"]


def test_a_pattern_is_written_as_it_is_read() -> None:
    assert str(HostPattern.parse("*.Example.com")) == "*.example.com"
    assert str(HostPattern.parse("Example.com")) == "example.com"


@pytest.mark.parametrize("text", ["*", "*.", "a.*.example", "*a.example", "*.127.0.0.1", "*.*.example", ""])
def test_other_patterns_are_refused(text: str) -> None:
    with pytest.raises(UrlError):
        HostPattern.parse(text)


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("a.b.localhost", True),
        ("notlocalhost", False),
        ("localhost.example", False),
        (IPv4Address("127.0.0.1"), False),
    ],
)
def test_names_below_localhost_are_known(host: str, *, told: bool) -> None:
    assert is_localhost(host) is told
