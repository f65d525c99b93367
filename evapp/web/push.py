"""Drivers are told while evapp is closed: what is due is put into words, sealed, and handed to push services."""

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from domain.settings import settings
from evapp.web import envelope


def public_key() -> str:
    """By which a browser subscribes to us alone, in base64url; empty where nobody is told while evapp is closed."""
    return envelope.encoded(envelope.public(_key())) if settings().push_hosts else ""


def _key() -> EllipticCurvePrivateKey:
    return envelope.key_of(settings().secret())
