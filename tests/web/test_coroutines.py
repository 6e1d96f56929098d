"""The engine of coroutines: whoever waits, or has much to read, lets the others run."""

import asyncio
from types import SimpleNamespace

import pytest

from kitchen.web import coroutines
from kitchen.web.client import Run


@pytest.mark.parametrize("kind", [coroutines._Line, coroutines._Overlapped])
def test_a_line_that_always_has_something_to_read_lets_others_run(kind):
    async def fetched():
        over = False

        async def read():
            for _ in range(1_000_000):  # for a second or so, where nobody else runs
                if over:
                    return
                await line.receive()
            pytest.fail("nobody else ran")

        async def another():
            nonlocal over
            for _ in range(3):
                await asyncio.sleep(0)
            over = True

        loop = asyncio.get_running_loop()
        loop.sock_recv = at_once
        line = kind(coroutines.Coroutines(run), 0)
        line._socket = SimpleNamespace(recv=lambda number: b"x")
        await asyncio.gather(read(), another())

    async def at_once(*_):
        return b"x"

    with Run("coroutines", ["http://a/"], timeout=60) as run:
        asyncio.run(fetched())
