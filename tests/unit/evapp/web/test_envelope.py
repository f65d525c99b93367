"""What a push service is handed: sealed for one browser as RFC 8291 has it, and vouched for as RFC 8292 has it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import SecretStr

from domain.settings import settings
from evapp.web import envelope, push
from tests.receivers import Receiver, bytes_of, text_of

NOON = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
RFC_8291 = {
    "plaintext": b"When I grow up, I want to be a watermelon",
    "as_private": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
    "ua_public": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "ua_private": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    "salt": "DGv6ra1nlYgDCS1FRnbzlw",
    "body": "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6P"
    "Bru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
}
"""Its Appendix A."""


def key_from(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(bytes_of(text), "big"), ec.SECP256R1())


def claims_of(authorization: str, public_key: str) -> dict[str, object]:
    """What an Authorization says, once its signature was verified as a push service does (RFC 8292, 3)."""
    scheme, _, parameters = authorization.partition(" ")
    told = dict(one.strip().split("=", 1) for one in parameters.split(","))
    assert (scheme, sorted(told), told["k"]) == ("vapid", ["k", "t"], public_key)
    said, _, signature = told["t"].rpartition(".")
    r, s = bytes_of(signature)[:32], bytes_of(signature)[32:]
    assert len(s) == 32
    der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes_of(public_key))
    key.verify(der, said.encode(), ec.ECDSA(SHA256()))
    head, _, claims = said.partition(".")
    assert json.loads(bytes_of(head)) == {"typ": "JWT", "alg": "ES256"}
    found: dict[str, object] = json.loads(bytes_of(claims))
    return found


def test_it_is_sealed_as_in_the_standard() -> None:
    sealed = envelope.sealed(
        RFC_8291["plaintext"],
        RFC_8291["ua_public"],
        RFC_8291["auth"],
        key=key_from(RFC_8291["as_private"]),
        salt=bytes_of(RFC_8291["salt"]),
    )
    assert text_of(sealed) == RFC_8291["body"]
    receiver = Receiver("", key_from(RFC_8291["ua_private"]), bytes_of(RFC_8291["auth"]))
    assert text_of(receiver.point) == RFC_8291["ua_public"]
    assert receiver.read(sealed) == RFC_8291["plaintext"]


def test_only_the_browser_reads_it_and_no_two_are_alike() -> None:
    receiver = Receiver()
    _, p256dh, auth = receiver.told
    sealed = {envelope.sealed(b"Your charge has ended.", p256dh, auth) for _ in range(5)}
    assert len(sealed) == len({one[:16] for one in sealed}) == len({one[21:86] for one in sealed}) == 5
    assert {receiver.read(one) for one in sealed} == {b"Your charge has ended."}
    one = sealed.pop()
    for stranger in (Receiver(), Receiver("", Receiver().key, receiver.secret), Receiver("", receiver.key)):
        with pytest.raises(InvalidTag):
            stranger.read(one)
    with pytest.raises(InvalidTag):
        receiver.read(one[:-1] + bytes([one[-1] ^ 1]))


def test_the_key_is_that_of_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """So there is no other secret to keep, and every process has the same key."""
    found = []
    for secret in ("a secret of the tests, 32 characters", "another secret of more than 32 characters") * 2:
        monkeypatch.setattr(settings(), "secret_key", SecretStr(secret))
        found.append(push.public_key())
    assert found[:2] == found[2:]
    assert len(set(found)) == 2
    assert [bytes_of(key)[:1] + bytes([len(bytes_of(key))]) for key in set(found)] == [b"\x04\x41"] * 2
    monkeypatch.setattr(settings(), "push_services", "none")
    assert push.public_key() == ""


@pytest.mark.parametrize(
    ("endpoint", "audience"),
    [
        ("https://fcm.googleapis.com/fcm/send/x:y", "https://fcm.googleapis.com"),
        ("https://wns2-par02p.notify.windows.com:443/w/?token=1", "https://wns2-par02p.notify.windows.com:443"),
        ("http://127.0.0.1:9200/7", "http://127.0.0.1:9200"),
    ],
)
def test_a_push_service_learns_who_sends(endpoint: str, audience: str) -> None:
    key = envelope.key_of(b"a secret of the tests, 32 characters")
    public_key = text_of(envelope.public(key))
    authorization = envelope.vouched(key, endpoint, "help@evapp.example", NOON)
    said = claims_of(authorization, public_key)
    expires_at = datetime.fromtimestamp(int(str(said.pop("exp"))), UTC)
    assert said == {"aud": audience, "sub": "mailto:help@evapp.example"}
    assert NOON < expires_at <= NOON + timedelta(hours=24)
    with pytest.raises(InvalidSignature):
        claims_of(authorization.replace("vapid t=e", "vapid t=E", 1), public_key)
