"""Listens for chargers: who may come in, under which version, and how everything is closed."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus

import structlog
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from csms import handshake
from csms.central import Central, Pace
from csms.connection import Connection
from csms.fast import Socket
from csms.keepalive import keep_alive
from csms.limits import Attempts, Crowd, Limits, knocker
from csms.v16 import V16
from csms.watch import watch_meters, watch_mute
from domain import chargers, metrics, processes
from domain.bus import Bus
from domain.db import answers, read, transact
from domain.settings import Settings, SettingsError
from domain.throttle import WINDOW_S, Sparingly

log = structlog.get_logger()

LARGEST_FRAME = 1024 * 1024
"""Bytes, of a charger that was let in. A StopTransaction may carry the samples of a whole night (docs/adr/0006)."""
QUEUED_FRAMES = 4
"""Frames read ahead of one charger: whoever floods waits for himself."""
BACKLOG = 4096
"""Handshakes that may wait: everybody comes back at once after a restart (performance.md 2)."""
PROTOCOL_ERROR, SERVICE_RESTART = 1002, 1012
NO_FORWARD_SECRECY = ("AES256-GCM-SHA384", "AES128-GCM-SHA256")
"""TLS_RSA_WITH_AES_256_GCM_SHA384 and its smaller sister, after all others: a charger need speak no better, so the
central system must (white paper, A00.FR.317 and 318; in OCPP 2.0.1 A00.FR.318 and 319)."""
LIVE, READY = "/health/live", "/health/ready"

REFUSALS: dict[type[Exception], tuple[HTTPStatus, str, str]] = {
    handshake.NoIdentity: (HTTPStatus.NOT_FOUND, "identity", ""),
    handshake.NoCredentials: (HTTPStatus.UNAUTHORIZED, "key", ""),
    handshake.NoCertificate: (HTTPStatus.UNAUTHORIZED, "certificate", ""),
    handshake.NoVersion: (HTTPStatus.BAD_REQUEST, "version", ""),
    chargers.ChargerUnknown: (HTTPStatus.NOT_FOUND, "unknown", "No charger of this identity is known here."),
    chargers.ChargerIsRetired: (HTTPStatus.FORBIDDEN, "retired", "This charger was taken out of service."),
    chargers.ChargerKeyWrong: (HTTPStatus.UNAUTHORIZED, "key", "The charger's key is missing or wrong."),
}
"""What a handshake is refused for: its status, its name among the metrics, its sentence; empty: the error's own."""
UNTRIED = (handshake.NoIdentity, handshake.NoCredentials, handshake.NoCertificate)
"""Of those: nothing of the charger's own was shown, so it counts for the address alone, and for nobody's name."""


@asynccontextmanager
async def listening(
    *, host: str, port: int, bus: Bus, settings: Settings, pace: Pace | None = None, limits: Limits | None = None
) -> AsyncIterator[int]:
    """Serve chargers for as long as the context lasts; gives the port, which the system chooses for `port=0`.

    The database must be open (`domain.db.opened`). At the end all sockets are closed with 1012, service restart.

    Raises:
        SettingsError: the port cannot be bound, or a file of the certificate cannot be read.
    """
    central, limits = Central(bus, settings, pace or Pace()), limits or Limits(proxies=settings.proxies)
    handshakes = Handshakes(central, limits)
    tls = _tls(settings)
    try:
        server = await serve(
            handshakes.serve,
            host,
            port,
            process_request=handshakes.admit,
            select_subprotocol=_subprotocol,
            create_connection=partial(Socket, limits, Crowd(limits)),  # type: ignore[arg-type]
            open_timeout=limits.handshake_s,
            compression=None,
            server_header=None,
            ping_interval=None,
            max_size=LARGEST_FRAME,
            max_queue=QUEUED_FRAMES,
            close_timeout=5,
            backlog=BACKLOG,
            ssl=tls,
            ssl_handshake_timeout=limits.handshake_s if tls else None,
            start_serving=False,
        )
    except OSError as error:
        why = f"{host}:{port}: {error.strerror or error}"
        raise SettingsError(f"Cannot listen on {why}. Is another server running there?") from error
    bound: int = server.sockets[0].getsockname()[1]
    try:
        # Only now: a second server that finds the port taken must not touch the first one's chargers.
        await transact(processes.opened_door, bus.process, bound)
        await server.start_serving()
        log.info("listening for chargers", host=host, port=bound, tls=bool(settings.ocpp_tls_cert))
        _tend(central)
        yield bound
    finally:
        server.close(code=SERVICE_RESTART, reason="service restart")
        await server.wait_closed()
        await central.finished()


def _tend(central: Central) -> None:
    for work in (
        central.beat,
        central.sweep_journal,
        central.watch_reconnections,
        central.watch_ownership,
        central.watch_habits,
        partial(keep_alive, central),
        central.meter_log.watch,
        partial(watch_meters, central),
        partial(watch_mute, central),
    ):
        central.tend(work)


class Handshakes:
    """The handshake, before and after the upgrade."""

    def __init__(self, central: Central, limits: Limits) -> None:
        self._central = central
        self._attempts = Attempts(limits)
        self._complaints = Sparingly()
        self._proxies = limits.proxies

    async def admit(self, socket: ServerConnection, request: Request) -> Response | None:
        """Let a charger in, or say why not, before the upgrade (OCPP-J 1.6, 3.2 and 6.2)."""
        if "websocket" not in ",".join(request.headers.get_all("Upgrade")).lower():
            # Else the library answers 426, and nothing is stored for a browser's visit.
            return await self._health(socket, request.path)
        if handshake.lacks_upgrade(request.headers):
            if not self._central.settings.ocpp_mend_upgrade:
                sentence = "The header Connection: Upgrade is missing; EVAPP_OCPP_MEND_UPGRADE=true lets such ones in."
                return self._refused(socket, "", HTTPStatus.BAD_REQUEST, "upgrade", sentence)
            handshake.mend_upgrade(request.headers)
        handshake.mend_offers(request.headers)
        charger_id, address = "", knocker(socket.remote_address, request.headers, self._proxies)
        try:
            charger_id = handshake.identity(request.path)
            key = handshake.key(request.headers, charger_id)
            if not self._attempts.allowed(address, charger_id, key):
                return self._throttled(socket)
            await self._must_be_certified(socket, charger_id)
            if (charger_id, key) not in await self._central.knocks.add((charger_id, key)):
                await transact(chargers.admit, charger_id, key, accept_unknown=self._central.settings.accept_unknown)
            if not handshake.names_version(request.headers):
                await self._may_name_none(charger_id)
        except UNTRIED as error:
            return self._unread(socket, address, charger_id, error)
        except tuple(REFUSALS) as error:
            if not isinstance(error, handshake.NoVersion):  # its key was right: that was no guess
                self._attempts.refused(address, charger_id)
            status, why, sentence = REFUSALS[type(error)]
            return self._refused(socket, charger_id, status, why, sentence or str(error))
        self._attempts.admitted(charger_id, key)
        metrics.HANDSHAKES.add("admitted")
        assert isinstance(socket, Socket)
        socket.charger_id = charger_id
        return None

    async def _must_be_certified(self, socket: ServerConnection, charger_id: str) -> None:
        """Where certificates are demanded, one of another charger opens nothing (white paper, A00.FR.511)."""
        if not (self._central.settings.ocpp_tls_cert and self._central.settings.ocpp_tls_client_ca):
            return
        names = handshake.certified(socket.transport.get_extra_info("peercert") or {})
        if charger_id not in names and await read(chargers.serial, charger_id) not in names:
            raise handshake.NoCertificate("The certificate is for another charger.")

    async def _may_name_none(self, charger_id: str) -> None:
        """Most that name no version speak 1.6; one that is known to do otherwise is asked for it (ocpp.md Q1)."""
        if (await read(chargers.info, charger_id)).subprotocol_required:
            raise handshake.NoVersion("The header Sec-WebSocket-Protocol is missing; this charger must send ocpp1.6.")

    async def _health(self, socket: ServerConnection, path: str) -> Response | None:
        """Answers a supervisor and a load balancer, as the web process does at the same addresses."""
        if path == LIVE:
            return socket.respond(HTTPStatus.OK, "live\n")
        if path != READY:
            return None
        if await answers():
            return socket.respond(HTTPStatus.OK, "ready\n")
        return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer.\n")

    def _throttled(self, socket: ServerConnection) -> Response:
        """Too many wrong ones came lately, from here or in this name; a guesser fills no log."""
        metrics.HANDSHAKES.add("throttled")
        response = socket.respond(HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong keys. Try again in a minute.\n")
        response.headers["Retry-After"] = str(int(WINDOW_S))
        return response

    def _unread(self, socket: ServerConnection, address: str, charger_id: str, error: Exception) -> Response:
        if not self._attempts.hears(address):
            return self._throttled(socket)
        self._attempts.refused(address)
        status, why, _ = REFUSALS[type(error)]
        return self._refused(socket, charger_id, status, why, str(error))

    def _refused(
        self, socket: ServerConnection, charger_id: str, status: HTTPStatus, why: str, sentence: str
    ) -> Response:
        metrics.HANDSHAKES.add(why)
        self._central.health.count(charger_id, "refused")
        if self._complaints.once_more():
            log.info("charger refused", path=(socket.request.path if socket.request else "")[:100], reason=sentence)
        response = socket.respond(status, sentence + "\n")
        if status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Basic realm="ocpp", charset="UTF-8"'
        return response

    async def serve(self, socket: ServerConnection) -> None:
        """A charger is in: speak with it, if it offered a language that is spoken here (OCPP-J 1.6, 3.1.2)."""
        assert isinstance(socket, Socket)
        offered = socket.request.headers.get_all(handshake.OFFERS) if socket.request else []
        if offered and socket.subprotocol is None:
            metrics.HANDSHAKES.add("version")
            log.info("no common version", charger=socket.charger_id, offered=",".join(offered)[:100])
            self._central.health.protocol_error(socket.charger_id, f"offers only {','.join(offered)[:100]}")
            await socket.close(PROTOCOL_ERROR, "only ocpp1.6 is spoken here")
            return
        for told in (socket.request, socket.response):
            if told is not None:
                told.headers.clear()  # a tenth of what a charger takes in memory
        await Connection(self._central, V16, socket, socket.charger_id).run()


def _subprotocol(_socket: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """A charger that offers nothing speaks 1.6 (ocpp.md Q1)."""
    return handshake.subprotocol(offered)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.ocpp_tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join((*(cipher["name"] for cipher in context.get_ciphers()), *NO_FORWARD_SECRECY)))
    try:
        for certificate, key in zip(settings.ocpp_tls_cert.split(","), settings.ocpp_tls_key.split(","), strict=True):
            context.load_cert_chain(certificate.strip(), key.strip())
        if settings.ocpp_tls_client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(settings.ocpp_tls_client_ca)
    except OSError as error:
        files = "EVAPP_OCPP_TLS_CERT, EVAPP_OCPP_TLS_KEY or EVAPP_OCPP_TLS_CLIENT_CA"
        raise SettingsError(
            f"{files}: {error.strerror or error}. They are PEM files that this user can read."
        ) from error
    return context
