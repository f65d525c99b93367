"""A charger's card reader: who may charge, decided by the central system, or offline by the keys."""

import asyncio
from typing import TYPE_CHECKING

from simulator.connectors import Connector
from simulator.record import Payload

if TYPE_CHECKING:
    from simulator.chargers import VirtualCharger


class Reader:
    """Reads cards, and remembers whom the central system accepted (the authorization cache)."""

    def __init__(self, charger: "VirtualCharger") -> None:
        self._charger = charger
        self.known_tags: set[str] = set()

    async def swipe(self, connector: Connector, id_tag: str) -> str:
        """Give the AuthorizationStatus of a card held to the reader, and start or end a charge by it.

        Blocked is what an accepted card reads on a connector that is busy, broken or out of service.
        """
        if connector.transaction and connector.transaction.id_tag.lower() == id_tag.lower():
            connector.end("Local", id_tag=id_tag)
            return "Accepted"
        status = await self._authorize(id_tag)
        if status == "Accepted" and not connector.startable:
            status = "Blocked"
        if status == "Accepted":
            connector.allow(id_tag)
        else:
            self._charger.say(f"connector {connector.number}: card {id_tag} is {status}")
        return status

    def start_remotely(self, connector: Connector, id_tag: str) -> None:
        """Begin what RemoteStartTransaction asked for, after an Authorize if the charger is set to it."""
        if self._charger.keys.true("AuthorizeRemoteTxRequests"):
            self._charger.spawn(self._start_if_authorized(connector, id_tag))
        else:
            connector.allow(id_tag)

    async def _start_if_authorized(self, connector: Connector, id_tag: str) -> None:
        await self.swipe(connector, id_tag)

    async def _authorize(self, id_tag: str) -> str:
        """Ask the central system; without an answer decide as the offline keys say (1.6 section 3.5)."""
        answer: Payload | None = None
        if self._charger.online:
            heard: asyncio.Future[Payload | None] = asyncio.get_running_loop().create_future()
            self._charger.outbox.tell("Authorize", {"idTag": id_tag}, heard.set_result)
            answer = await heard
        if answer is None:
            known = self._charger.keys.true("LocalAuthorizeOffline") and id_tag in self.known_tags
            return "Accepted" if known or self._charger.keys.true("AllowOfflineTxForUnknownId") else "Invalid"
        status = str(answer["idTagInfo"]["status"])
        if status == "Accepted":
            self.known_tags.add(id_tag)
        else:
            self.known_tags.discard(id_tag)
        return status
