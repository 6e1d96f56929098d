"""TLS over any line, also over another TLS: the same steps whether whoever takes them blocks or awaits."""

import ssl

from kitchen.web.line import Line

READ_BYTES = 64 * 1024


class Tls:
    """A line that is encrypted over the `line` below it. `context` decides whom to trust; `host` is who should be there."""

    def __init__(self, line: "Line | Tls", context: ssl.SSLContext, host: str):
        self._line = line
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._goes, server_hostname=host)

    async def shake_hands(self) -> None:
        """Raises ssl.SSLError where the other side is not whom it should be, or speaks no TLS."""
        await self._step(self._tls.do_handshake)

    async def send(self, data: bytes) -> None:
        await self._step(self._tls.write, data)

    async def receive(self) -> bytes:
        """What came; nothing: that was all."""
        try:
            return await self._step(self._tls.read, READ_BYTES)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):  # with a goodbye or, as many sites do, without
            return b""

    async def _step(self, action, *what):
        while True:
            try:
                done, wants = action(*what), False
            except ssl.SSLWantReadError:
                done, wants = None, True
            if self._goes.pending:
                await self._line.send(self._goes.read())
            if not wants:
                return done
            if data := await self._line.receive():
                self._came.write(data)
            else:
                self._came.write_eof()
