"""A small web site with room for only so many at once, for notebook 06: whoever comes on top of that is told 429.

    async with Shop(room=10) as shop:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(shop.url)

It is run by the caller's own event loop, can be seen from this machine only, and is gone when its block is over.
"""

import asyncio
from contextlib import suppress

HOST = "127.0.0.1"  # seen from this machine only
BACKLOG = 1000  # customers who may be at the door before the loop gets round to opening it
END = b"\r\n\r\n"  # of a question: an empty line


class Shop:
    """A site that serves each customer for `seconds`, and has `room` for so many of them.

    `url`: where it is, inside the block. `inside`: how many are being served, never more than `room`; `most_inside`: the
    most that ever were. What is asked for makes no difference. Raises ValueError for no room, and for less than 0 seconds.
    """

    def __init__(self, room: int = 10, seconds: float = 0.1):
        if not isinstance(room, int) or room < 1:
            raise ValueError(f"room={room!r}: give a whole number, 1 or more")
        if not seconds >= 0:
            raise ValueError(f"seconds={seconds!r}: give a number, 0 or more")
        self.room, self.seconds = room, seconds
        self.inside = self.most_inside = 0
        self.url = self._server = None
        self._visits = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._visit, HOST, 0, backlog=BACKLOG)
        _, port = self._server.sockets[0].getsockname()
        self.url = f"http://{HOST}:{port}/"
        return self

    async def __aexit__(self, *problem):
        self._server.close()
        for visit in self._visits:
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)
        await asyncio.sleep(0)  # the last connections close

    async def _visit(self, reader, writer):
        """One customer, from the question to the answer. Who leaves in the middle is nobody's trouble."""
        visit = asyncio.current_task()
        self._visits.add(visit)
        try:
            # Only the end of the block cancels a visit, and Python 3.11 would report that as an error.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await reader.readuntil(END)
                status = await self._served()
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
        finally:
            writer.close()
            self._visits.discard(visit)

    async def _served(self):
        """What the customer is told."""
        if self.inside == self.room:
            return "429 Too Many Requests"
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.inside -= 1
        return "200 OK"
