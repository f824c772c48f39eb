"""URLs with tokens: where tokens may stand, and that no value leads elsewhere."""

from __future__ import annotations

import pytest

from ringback.domain.hosts import read_target
from ringback.domain.templates import HeldError
from tests.domain.definitions import URL, compiled, refused, rendered


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://hooks.example", "https://hooks.example/"),
        (" https://hooks.example/x\r\n", "https://hooks.example/x"),
        ("HTTPS://Hooks.Example:0443/x", "https://hooks.example:443/x"),
        ("http://hooks.example:8080/", "http://hooks.example:8080/"),
        ("https://hooks.example/?a=1&b&c=", "https://hooks.example/?a=1&b&c="),
        ("https://hooks.example?a=1", "https://hooks.example/?a=1"),
        ("https://hooks.example/?", "https://hooks.example/"),
        ("https://hooks.example/ü%20x/%2F", "https://hooks.example/%C3%BC%20x/%2F"),
        ("https://hooks.example/?a=b+c=d", "https://hooks.example/?a=b+c%3Dd"),
        ("https://hooks.example/?rate=100%&b=%4", "https://hooks.example/?rate=100%25&b=%254"),
        ("https://hooks.example/a[1]/x", "https://hooks.example/a%5B1%5D/x"),
        ("https://127.1/", "https://127.0.0.1/"),
        ("https://[::1]:8443/", "https://[::1]:8443/"),
    ],
)
def test_a_literal_url_is_sent_as_it_is_meant(url: str, sent: str) -> None:
    made = rendered({}, url=url)
    assert made.url == sent
    assert str(read_target(made.url).host) == made.host


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "https://"),
        ("hooks.example/", "https://"),
        ("https://hooks.example/#x", "%23"),
        ("https://hooks.example/a/../b", "dots"),
        ("https://hooks.example/a/%2E%2e/[payout]", "dots"),
        ("https://hooks.example/a\\b", "https://"),
        ("https://hooks.example:99999/", "port"),
        ("https://hooks.example:0/", "port"),
        ("https://hooks.example:[payout]/", "can't be read"),
        ("https://hooks.example:80:80/", "can't be read"),
        ("https://bücher.example/", "xn--"),
        ("https://good\u017f.example/", "xn--"),
        ("https://-x.example/", "can't be read"),
        ("https://[payout]..partner.example/", "can't be read"),
        ("https://[payout].0.0.1/", "can't be read"),
        ("https://[payout].partner.example:99999/", "can't be read"),
        ("https://[payout]@partner.example/", "vault"),
        ("https://" + "[payout]." * 4 + "partner.example/", "longer than a host"),
        ("https://[payout].example/", "domain without tokens"),
        ("https://partner.[payout]/", "domain without tokens"),
        ("https://hooks.example/\x00", "one line"),
        ("https://hooks.example/a\nb", "one line"),
        ("https://hooks.example/\ud800", "one line"),
        ("https://hooks.example/" + "x" * 4000, "4000"),
        ("https://hooks.example/[field:a/b]", "[field:a/b] can't be read as a token"),
        ("https://hooks.example/?[payout]=1", "tokens stand in values"),
        ("https://[payout]{Upper}.partner.example/", "The default of [payout] can't be a part of the host"),
    ],
)
def test_a_url_that_could_not_be_sent_to_is_refused_on_save(url: str, said: str) -> None:
    told = refused(url=url, allowed_hosts=["*.partner.example"])
    assert said in " ".join(message for field, message in told if field == "url")


@pytest.mark.parametrize(
    ("url", "allowed", "fits"),
    [
        (URL, [], True),
        (URL, ["hooks.example"], True),
        (URL, ["other.example", "hooks.example"], True),
        (URL, ["other.example"], False),
        (URL, ["*.hooks.example"], False),
        ("https://a.b.partner.example/", ["*.partner.example"], True),
        ("https://8.8.8.8/", ["8.8.8.8"], True),
        ("https://[::1]/", ["[::1]"], True),
        ("https://[payout].partner.example/", ["*.partner.example"], True),
        ("https://[payout].partner.example/", ["acme.partner.example"], True),
        ("https://[payout].partner.example/", ["acme.other.example"], False),
        ("https://[payout].partner.example/", ["partner.example"], False),
        ("https://[payout].partner.example/", ["*.acme.partner.example"], False),
        ("https://[payout].partner.example/", ["*.b.acme.partner.example"], False),
        ("https://[payout].[call_id].partner.example/", ["*.acme.partner.example"], True),
        ("https://[payout].x.partner.example/", ["*.partner.example"], True),
    ],
)
def test_some_value_must_lead_to_an_allowed_host(url: str, allowed: list[str], *, fits: bool) -> None:
    if fits:
        assert [str(pattern) for pattern in compiled(url=url, allowed_hosts=allowed).allowed] == [
            each.strip("[]") for each in allowed
        ]
    else:
        assert refused(url=url, allowed_hosts=allowed) == [
            ("allowed_hosts", "None of these is the host of the URL, so nothing would ever be sent.")
        ]


def test_the_host_that_values_make_must_be_allowed() -> None:
    definition = {"url": "https://[subdomain].partner.example/", "allowed_hosts": ["acme.partner.example"]}
    with pytest.raises(HeldError) as held:
        rendered({"subdomain": "evil"}, **definition)
    assert (held.value.code, held.value.name) == ("host_not_allowed", "evil.partner.example")
    assert rendered({"subdomain": "acme"}, **definition).host == "acme.partner.example"


class TestPaths:
    @pytest.mark.parametrize(
        ("url", "value"),
        [("[first_name]", "."), ("[first_name]/x", ".."), (".[first_name]", "."), ("%2e[first_name]", ".")],
    )
    def test_a_value_that_makes_dots_is_held(self, url: str, value: str) -> None:
        with pytest.raises(HeldError) as held:
            rendered({"first_name": value, "call_id": "1"}, url=f"{URL}[call_id]/{url}")
        assert (held.value.code, held.value.name) == ("unfit_path", "first_name")

    @pytest.mark.parametrize(
        ("url", "value", "sent"), [("%[first_name]", "2e", "%252e"), ("%2[first_name]", "f", "%252f")]
    )
    def test_no_value_completes_an_escape(self, url: str, value: str, sent: str) -> None:
        assert rendered({"first_name": value}, url=URL + url).url == URL + sent
        assert rendered({"first_name": value}, url=f"{URL}?a={url}").url == f"{URL}?a={sent}"
