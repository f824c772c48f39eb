"""The apply file's credentials and postbacks: the contract's own example, twice, and what is wrong with others."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from tests.cli.shell import Shell

ACCOUNT = """\
[[accounts]]
subdomain = "acme"
name = "Acme Media"
owners = ["ada@acme.example"]

[[accounts.buyers]]
name = "Bright Roofing"
"""
SENDING = """
[[accounts.credentials]]
name = "TrackDrive"
host = "*.trackdrive.com"
basic = { env = "TRACKDRIVE_BASIC" }

[[accounts.postbacks]]
name = "Tell the traffic source"
trigger = "buyer_converted"
method = "POST"
url = "https://[trackdrive_subdomain].trackdrive.com/api/v1/calls/update_call/[trackdrive_call_uuid]"
allowed_hosts = ["*.trackdrive.com"]
credential = "by host"
body = { buyer_converted = "true", revenue = "[Call:ConversionPayout]", post_call_tokens = {} }
conditions = [{ field = "trackdrive_call_uuid", operator = "exists" }]
"""
FILE = ACCOUNT + SENDING


@pytest.fixture
def file(shell: Shell, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRACKDRIVE_BASIC", "public:private-of-trackdrive")
    monkeypatch.setenv("RINGBACK_SECRET_KEY", b64encode(bytes(32)).decode())
    shell.database = database_url
    path = shell.folder / "acme.toml"
    path.write_text(FILE)
    return path


def changed(shell: Shell, file: Path, *edits: tuple[str, str]) -> list[str]:
    """What applying the edited file changes."""
    text = FILE
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    file.write_text(text)
    made = shell.ok("apply", str(file), "--json").json["changes"]
    assert shell.ok("apply", str(file), "--json").json["changes"] == []
    return list(made)


def test_the_example_of_the_contract_is_made_once(shell: Shell, file: Path) -> None:
    made = changed(shell, file)
    assert made[-2:] == ["+ credential TrackDrive in acme", "+ postback Tell the traffic source in acme"]


def test_what_differs_is_changed(shell: Shell, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(shell, file)
    assert changed(shell, file, ('trigger = "buyer_converted"', 'trigger = "payout_changed"')) == [
        "~ postback Tell the traffic source in acme: changed"
    ]
    changed(shell, file)
    monkeypatch.setenv("TRACKDRIVE_BASIC", "public:another-private")
    assert changed(shell, file) == ["~ credential TrackDrive in acme: changed"]


def test_a_postback_can_be_a_buyers_with_a_credential_of_its_own(shell: Shell, file: Path) -> None:
    made = changed(
        shell, file, ('credential = "by host"', 'credential = "trackdrive"\nbuyer = "bright roofing"\ntimeout = 5')
    )
    assert "+ postback Tell the traffic source in acme" in made


def test_one_that_is_to_sign_says_that_it_wants_a_secret(shell: Shell, file: Path) -> None:
    wants = "; make its signing secret on its page, nothing is sent until then"
    unsigned, signed = 'credential = "by host"', 'credential = "by host"\nsigned = true'
    made = changed(shell, file, (unsigned, signed))
    assert made[-1] == f"+ postback Tell the traffic source in acme{wants}"
    assert changed(shell, file) == ["~ postback Tell the traffic source in acme: changed"]
    assert changed(shell, file, (unsigned, signed)) == [f"~ postback Tell the traffic source in acme: changed{wants}"]


@pytest.mark.parametrize(
    ("before", "after", "line", "reason"),
    [
        ('basic = { env = "TRACKDRIVE_BASIC" }', 'basic = "public:private"', 12, "a secret is never written here"),
        ("TRACKDRIVE_BASIC", "NOT_THERE", 12, "the environment has no NOT_THERE"),
        ('"*.trackdrive.com"\nbasic', '"*.com"\nbasic', 11, "Anybody can have a name below com"),
        ("[Call:ConversionPayout]", "[Call:ConversonPayout]", 21, "Did you mean [Call:ConversionPayout]?"),
        ('buyer_converted"\nmethod', 'buyer_convert"\nmethod', 16, "did you mean buyer_converted?"),
        ('credential = "by host"', 'credential = "TrackDriver"', 20, "did you mean TrackDrive?"),
        ('credential = "by host"', 'buyer = "Brigth Roofing"', 20, "did you mean Bright Roofing?"),
        ('allowed_hosts = ["*.trackdrive.com"]', "", 14, "say which hosts may be sent to"),
        (
            "https://[trackdrive_subdomain].trackdrive.com",
            "https://[trackdrive_subdomain].com",
            18,
            "domain without tokens",
        ),
        ('operator = "exists"', 'operator = "is"', 22, "is not one of"),
        ('method = "POST"', 'metod = "POST"', 17, "did you mean method?"),
    ],
)
def test_a_spoiled_file_is_refused_whole_with_its_line(
    shell: Shell, file: Path, before: str, after: str, line: int, reason: str
) -> None:
    assert before in FILE
    file.write_text(FILE.replace(before, after, 1))
    refused = shell.run("apply", str(file))
    assert refused.code == 1
    assert reason in refused.err
    assert f"acme.toml:{line}:" in refused.err
    assert shell.run("account", "list", "--json").out in {"[]\n", ""}
