"""Signed webhooks: what the server signs is verified; what was changed, replayed or forged is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.client import NotConfigured, SignatureMismatch, verify_webhook
from ringback.client.webhooks import TOLERANCE
from ringback.domain import signatures

# The vector of the specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = signatures.make_secret(bytes(24))
BODY = b'{"test": 2432232314}'
SENT = datetime.fromtimestamp(1614265330, UTC)
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "WEBHOOK-TIMESTAMP": "1614265330",
    "webhook-signature": SIGNATURE,
}


@pytest.mark.parametrize("body", [BODY, BODY.decode()], ids=["bytes", "text"])
@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix("whsec_"), f" {SECRET}\n", [OTHER, SECRET]])
def test_the_vector_of_the_specification(body: bytes | str, secret: str | list[str]) -> None:
    assert verify_webhook(body, HEADERS, secret, now=SENT) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_a_vector_made_by_the_words_of_the_specification() -> None:
    key = bytes(range(32))
    signed = hmac.new(key, b"msg_1.1700000000.{}", hashlib.sha256).digest()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": f"v1a,AAAA v1,{base64.b64encode(signed).decode()}",
    }
    secret = f"whsec_{base64.b64encode(key).decode()}"
    assert verify_webhook(b"{}", headers, secret, now=datetime.fromtimestamp(1700000000, UTC)) == "msg_1"


@given(st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=3), st.binary(max_size=100), st.data())
def test_what_the_server_signs_is_verified(keys: list[bytes], body: bytes, data: st.DataObject) -> None:
    headers = dict(signatures.sign(keys, "0198-id", SENT, body))
    secret = signatures.make_secret(data.draw(st.sampled_from(keys)))
    assert verify_webhook(body, headers, secret, now=SENT) == "0198-id"
    assert verify_webhook(body, headers, [OTHER, secret], now=SENT) == "0198-id"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Webhook-Id": ""}, "not all there"),
        ({"WEBHOOK-TIMESTAMP": ""}, "not all there"),
        ({"WEBHOOK-TIMESTAMP": "soon"}, "not all there"),
        ({"WEBHOOK-TIMESTAMP": "\u0661\u0662"}, "not all there"),
        ({"webhook-signature": ""}, "not all there"),
        ({"Webhook-Id": "other"}, "no signature"),
        ({"WEBHOOK-TIMESTAMP": "1614265331"}, "no signature"),
        ({"webhook-signature": "v1,AAAA v2,BBBB \u00fc"}, "no signature"),
        ({"webhook-signature": SIGNATURE.replace("v1", "v1a")}, "no signature"),
    ],
)
def test_what_was_changed_is_refused(changed: dict[str, str], said: str) -> None:
    with pytest.raises(SignatureMismatch, match=said):
        verify_webhook(BODY, HEADERS | changed, SECRET, now=SENT)


@pytest.mark.parametrize(("body", "secret"), [(BODY + b" ", SECRET), (BODY, OTHER), (BODY, [])])
def test_another_body_or_secret_is_refused(body: bytes, secret: str | list[str]) -> None:
    with pytest.raises(SignatureMismatch, match="no signature of the webhook fits"):
        verify_webhook(body, HEADERS, secret, now=SENT)


@pytest.mark.parametrize("late", [TOLERANCE, -TOLERANCE])
def test_a_webhook_is_believed_only_for_a_while(late: timedelta) -> None:
    verify_webhook(BODY, HEADERS, SECRET, now=SENT + late)
    with pytest.raises(SignatureMismatch, match="too long ago"):
        verify_webhook(BODY, HEADERS, SECRET, now=SENT + late * 1.01)
    verify_webhook(BODY, HEADERS, SECRET, now=SENT + late * 1.01, tolerance=TOLERANCE * 2)
    with pytest.raises(SignatureMismatch, match="too long ago"):
        verify_webhook(BODY, HEADERS, SECRET)  # the present is many years later


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "whsec_AAAA", "whsec_" + "A" * 200, "\u00fc"])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(NotConfigured, match="a signing secret"):
        verify_webhook(BODY, HEADERS, secret, now=SENT)
