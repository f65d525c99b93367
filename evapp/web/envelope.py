"""What a push service is handed: a message that only the browser can read (RFC 8291), vouched for by us (RFC 8292)."""

import base64
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.push import decoded

CURVE = SECP256R1()
ORDER = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
"""Of P-256: how many keys there are, and one."""
RECORD = 4_096
"""Bytes of a record, of which a message has one (RFC 8188): no push service has to take more."""
LAST_RECORD = b"\x02"
VOUCHED = timedelta(hours=12)
"""A day is the most that a push service believes (RFC 8292, 2)."""


def sealed(
    message: bytes,
    p256dh: str,
    auth: str,
    *,
    key: EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The message for the browser with these keys, in `aes128gcm`. Key and salt are new each time, but in tests."""
    key, salt = key or generate_private_key(CURVE), salt or secrets.token_bytes(16)
    theirs, ours = decoded(p256dh), public(key)
    shared = key.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))
    ikm = _derived(shared, 32, decoded(auth), b"WebPush: info\x00" + theirs + ours)
    content_key = _derived(ikm, 16, salt, b"Content-Encoding: aes128gcm\x00")
    nonce = _derived(ikm, 12, salt, b"Content-Encoding: nonce\x00")
    head = salt + RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return head + AESGCM(content_key).encrypt(nonce, message + LAST_RECORD, None)


@lru_cache(1)
def key_of(secret: bytes) -> EllipticCurvePrivateKey:
    """The key by which push services know us, derived from the house's secret: there is no other one to keep."""
    wide = int.from_bytes(_derived(secret, 48, None, b"evapp push"), "big")
    return derive_private_key(wide % (ORDER - 1) + 1, CURVE)


def public(key: EllipticCurvePrivateKey) -> bytes:
    """Its public half as an uncompressed point."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def vouched(key: EllipticCurvePrivateKey, endpoint: str, contact: str, at: datetime) -> str:
    """The Authorization for a push service: who sends, and whom to write to about it."""
    service = urlsplit(endpoint)
    claims = {
        "aud": f"{service.scheme}://{service.netloc}",
        "exp": int((at + VOUCHED).timestamp()),
        "sub": f"mailto:{contact}",
    }
    said = f"{_part({'typ': 'JWT', 'alg': 'ES256'})}.{_part(claims)}"
    r, s = decode_dss_signature(key.sign(said.encode(), ECDSA(SHA256())))
    signature = encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={said}.{signature}, k={encoded(public(key))}"


def encoded(data: bytes) -> str:
    """base64url without its padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _part(of_token: Mapping[str, object]) -> str:
    return encoded(json.dumps(of_token, separators=(",", ":")).encode())


def _derived(secret: bytes, length: int, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
