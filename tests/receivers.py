"""A browser that is told by a push service: its keys, what it says of itself, and how it reads what it was sent."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import Session

from domain import push, sign_ins
from domain.models import User
from domain.sign_ins import Browser, hash_token

SERVICE = "https://fcm.googleapis.com/fcm/send"


def text_of(data: bytes) -> str:
    """As browsers write bytes."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Receiver:
    """One browser's subscription."""

    endpoint: str = field(default_factory=lambda: f"{SERVICE}/{secrets.token_urlsafe(100)}")
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def told(self) -> tuple[str, str, str]:
        """Endpoint, p256dh and auth, as PushSubscription.toJSON() has them."""
        return self.endpoint, text_of(self.point), text_of(self.secret)

    def read(self, body: bytes) -> bytes:
        """RFC 8188 and 8291 from the other side, step by step and by other means than those of the product."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        assert (size, length) == (4096, 65)
        assert len(sealed) <= size
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        ikm = _mac(_mac(self.secret, shared), b"WebPush: info\0" + self.point + sender + b"\1")
        prk = _mac(salt, ikm)
        content_key = _mac(prk, b"Content-Encoding: aes128gcm\0\1")[:16]
        nonce = _mac(prk, b"Content-Encoding: nonce\0\1")[:12]
        padded = AESGCM(content_key).decrypt(nonce, sealed, None)
        message, delimiter, padding = padded.rpartition(b"\2")
        assert delimiter
        assert not padding.strip(b"\0")
        return message


def subscribed(db: Session, user_id: int, token: str = "phone", at: datetime | None = None) -> Receiver:
    """A browser that this user signs in with, and that is told."""
    return subscribe(db, user_id, Receiver(), token, at)


def subscribe(
    db: Session, user_id: int, receiver: Receiver, token: str = "phone", at: datetime | None = None
) -> Receiver:
    """Sign in with this browser, and let it be told."""
    browser = Browser(hash_token(f"{token} of {user_id}"), "", "")
    sign_in = sign_ins.start(db, db.get_one(User, user_id), browser, at)
    push.subscribe(db, sign_in.id or 0, user_id, *receiver.told)
    return receiver


def _mac(key: bytes, data: bytes) -> bytes:
    mac = HMAC(key, SHA256())
    mac.update(data)
    return mac.finalize()
