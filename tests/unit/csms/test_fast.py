"""What a socket costs; what it does is in tests/csms/test_fast.py."""

import sys
from unittest.mock import AsyncMock, Mock

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from csms.fast import Socket
from csms.limits import Crowd, Limits

OF_ITS_OWN = 1_000
"""Bytes. A table of names that is not shared takes more than this."""


async def test_sockets_that_come_at_once_share_the_names_of_their_attributes() -> None:
    limits = Limits()
    sockets = [Socket(limits, Crowd(limits), ServerProtocol(), Mock(handler=AsyncMock())) for _ in range(40)]
    for socket in sockets:
        socket.connection_made(Mock(**{"get_extra_info.return_value": ("127.0.0.1", 1)}))
    assert max(sys.getsizeof(vars(socket)) for socket in sockets) < OF_ITS_OWN


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG])
async def test_pings_of_who_reads_nothing_are_no_sign_of_life(opcode: Opcode) -> None:
    """Q6: our answers to them would pile up for ever."""
    limits = Limits()
    socket = Socket(limits, Crowd(limits), ServerProtocol(), Mock(handler=AsyncMock()))
    socket.connection_made(Mock(**{"get_extra_info.return_value": ("127.0.0.1", 1)}))
    socket.protocol.state = OPEN
    socket.request, socket.alive = Mock(), Mock()
    for full in (False, True):
        socket.paused = full
        socket.process_event(Frame(opcode, b""))
        assert socket.alive.call_count == 1
