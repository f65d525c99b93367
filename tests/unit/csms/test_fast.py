"""What a socket costs; what it does is in tests/csms/test_fast.py."""

import sys
from unittest.mock import AsyncMock, Mock

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
