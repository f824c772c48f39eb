"""Signed requests: the vectors of the specification, rotation, replay and forgery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.signatures import TOLERANCE, SignatureError, make_secret, read_key, sign, verify

# The vector of the specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SENT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

KEY = read_key(SECRET)
OTHER = bytes(24)
HEADERS = {"webhook-id": ID, "webhook-timestamp": "1614265330", "webhook-signature": SIGNATURE}


def test_the_vector_of_the_specification() -> None:
    assert dict(sign([KEY], ID, SENT, BODY)) == HEADERS
    assert verify([KEY], HEADERS, BODY, SENT) == ID


def test_while_secrets_are_rotated_either_will_do() -> None:
    headers = dict(sign([OTHER, KEY], ID, SENT, BODY))
    assert headers["webhook-signature"].split()[1] == SIGNATURE
    assert verify([KEY], headers, BODY, SENT) == ID
    assert verify([OTHER], headers, BODY, SENT) == ID
    assert verify([OTHER, KEY], HEADERS, BODY, SENT) == ID


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"webhook-id": ""}, "not all there"),
        ({"webhook-timestamp": ""}, "not all there"),
        ({"webhook-timestamp": "soon"}, "not all there"),
        ({"webhook-timestamp": "1614265330.0"}, "not all there"),
        ({"webhook-signature": ""}, "not all there"),
        ({"webhook-id": "other"}, "no signature fits"),
        ({"webhook-timestamp": "1614265331"}, "no signature fits"),
        ({"webhook-signature": "v1,AAAA v2,BBBB ü"}, "no signature fits"),
        ({"webhook-signature": SIGNATURE.replace("v1", "v1a")}, "no signature fits"),
    ],
)
def test_what_was_changed_is_refused(changed: dict[str, str], said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        verify([KEY], HEADERS | changed, BODY, SENT)


def test_another_body_or_key_or_none_is_refused() -> None:
    for keys, body in (([KEY], BODY + b" "), ([OTHER], BODY), ([], BODY)):
        with pytest.raises(SignatureError, match="no signature fits"):
            verify(keys, HEADERS, body, SENT)


@pytest.mark.parametrize("late", [TOLERANCE, -TOLERANCE])
def test_a_request_is_believed_only_for_a_while(late: timedelta) -> None:
    assert verify([KEY], HEADERS, BODY, SENT + late) == ID
    with pytest.raises(SignatureError, match="too long ago"):
        verify([KEY], HEADERS, BODY, SENT + late * 1.01)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!!", "whsec_AAAA", "whsec_" + "A" * 200, "ü"])
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(SignatureError, match="a signing secret"):
        read_key(text)


@given(st.binary(min_size=24, max_size=64), st.binary(max_size=100))
def test_what_was_signed_is_verified(random: bytes, body: bytes) -> None:
    secret = make_secret(random)
    assert read_key(secret) == read_key(f" {secret.removeprefix('whsec_')}\n") == random
    assert verify([random], dict(sign([random], ID, SENT, body)), body, SENT) == ID
