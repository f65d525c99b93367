"""Who knocks: the identity in the path, the key in the header, the protocol in the offer."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from websockets.datastructures import Headers
from websockets.typing import Subprotocol

from domain.chargers import IDENTITY

OFFERS = "Sec-WebSocket-Protocol"
VERSIONS = ("ocpp1.6", "ocpp1.6j")
"""What chargers call the version spoken here, in lower case."""


class NoIdentity(ValueError):
    """The path names no charger."""


class NoCredentials(ValueError):
    """The Authorization header is not Basic authentication, or names another charger."""


class NoCertificate(ValueError):
    """The client certificate is no certificate of this charger."""


class NoVersion(ValueError):
    """The charger does not say which version it speaks, and must."""


def identity(path: str) -> str:
    """The charger's identity: the last segment of the path that is not empty, percent-decoded once (ocpp.md Q4).

    Raises:
        NoIdentity: there is none, or it has characters no identity has.
    """
    segments = [segment for segment in path.partition("?")[0].partition("#")[0].split("/") if segment]
    try:
        name = unquote_to_bytes(segments[-1]).decode() if segments else ""
    except UnicodeError:
        name = ""
    if not IDENTITY.fullmatch(name):
        raise NoIdentity(
            "The path must end in the charger's identity: up to 48 letters, digits and the characters * + - _ . :"
        )
    return name


def key(headers: Headers, charger_id: str) -> bytes | None:
    """The bytes of the Basic-authentication password, whatever they are; None when no header is there (ocpp.md Q8).

    Raises:
        NoCredentials: the header cannot be read, or its user is not the charger.
    """
    given = headers.get_all("Authorization")
    if not given:
        return None
    scheme, _, encoded = given[0].strip().partition(" ")
    try:
        told = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        raise NoCredentials("The Authorization header is not Basic authentication.") from None
    # The user of Basic authentication ends at the first colon (RFC 7617), but an identity may have some: a MAC address.
    user = charger_id.encode() + b":"
    if len(given) > 1 or scheme.lower() != "basic" or not told.startswith(user):
        raise NoCredentials("The Authorization header must be Basic, with the charger's identity as its user.")
    return told.removeprefix(user)


def certified(certificate: Mapping[str, Any]) -> frozenset[str]:
    """Whom a client certificate, as `ssl` reads it, is for: the common name of its subject and its DNS names (white
    paper, certificate properties)."""
    subject = [value for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
    return frozenset((*subject, *(value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS")))


def lacks_upgrade(headers: Headers) -> bool:
    """Whether the header `Connection: Upgrade` is missing, without which nothing is a websocket (ocpp.md Q3)."""
    return "upgrade" not in ",".join(headers.get_all("Connection")).lower()


def mend_upgrade(headers: Headers) -> None:
    """Add what is missing, as the charger meant it."""
    headers["Connection"] = "Upgrade"


def mend_offers(headers: Headers) -> None:
    """Leave out offers that name nothing: they are as none, and the library refuses who makes them (ocpp.md Q1)."""
    given = headers.get_all(OFFERS)
    named = [offer for offer in given if offer.strip(" \t,")]
    if named != given:
        del headers[OFFERS]
        for offer in named:
            headers[OFFERS] = offer


def names_version(headers: Headers) -> bool:
    """Whether it offers any version at all (ocpp.md Q1)."""
    return bool(headers.get_all(OFFERS))


def subprotocol(offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The first version spoken here, as the charger spelt it; None when there is none (ocpp.md Q2)."""
    return next((name for name in offered if name.lower() in VERSIONS), None)
