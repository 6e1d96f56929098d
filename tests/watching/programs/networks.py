"""Programs that talk through sockets, and with the libraries that people use for that."""

import asyncio
import socket

from programs import program


@program
async def bare_sockets(seen):
    loop = asyncio.get_running_loop()
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        receiving = asyncio.create_task(loop.sock_recv(right, 100))
        await asyncio.sleep(0)
        await loop.sock_sendall(left, b"hello")
        return await receiving


@program
async def a_bare_socket_times_out(seen):
    loop = asyncio.get_running_loop()
    left, right = socket.socketpair()
    with left, right:
        right.setblocking(False)
        await asyncio.wait_for(loop.sock_recv(right, 100), 0.002)


@program
async def readers_are_called(seen):
    loop, left_right = asyncio.get_running_loop(), socket.socketpair()
    left, right = left_right
    with left, right:
        done = loop.create_future()
        loop.add_reader(right, lambda: done.done() or done.set_result(right.recv(10)))
        left.send(b"read")
        result = await done
        return result, loop.remove_reader(right)


@program
async def a_server_with_many_guests(seen):
    async def answer(reader, writer):
        async with asyncio.timeout(5):
            writer.write((await reader.readexactly(3)).upper())
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def guest(port, text):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(text)
        said = await reader.read()
        writer.close()
        await writer.wait_closed()
        return said

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await asyncio.gather(*(guest(port, text) for text in (b"abc", b"def", b"ghi")))


@program
async def a_protocol_of_its_own(seen):
    loop = asyncio.get_running_loop()

    class Echo(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.transport.write(data)
            self.transport.close()

    server = await loop.create_server(Echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"echo")
    said = await reader.read()
    writer.close()
    server.close()
    return said


@program
async def a_connection_is_refused(seen):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        try:
            await asyncio.open_connection(*taken.getsockname())
        except OSError as error:
            return type(error).__name__


async def small_site(seen):
    """A server that answers every request with its path."""

    async def answer(reader, writer):
        line = await reader.readline() or b"GET /never"  # on a busy machine a guest may have left by then
        while (await reader.readline()).strip():
            pass
        path = line.split()[1]
        if path == b"/never":
            await asyncio.sleep(30)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@program
async def fetches_with_httpx(seen):
    import httpx

    server, base = await small_site(seen)
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        answers = await asyncio.gather(*(client.get(f"{base}/{number}") for number in range(3)))
        try:
            await client.get(f"{base}/never", timeout=httpx.Timeout(60, read=0.02))
        except httpx.ReadTimeout as error:
            seen.append(type(error.__cause__).__name__)
    server.close()
    return [(answer.status_code, answer.text) for answer in answers]


@program
async def fetches_with_aiohttp(seen):
    import aiohttp

    server, base = await small_site(seen)

    async def get(session, path):
        async with session.get(base + path) as answer:
            return answer.status, await answer.text()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2)) as session:
        answers = await asyncio.gather(*(get(session, f"/{number}") for number in range(4)))
        try:
            await asyncio.wait_for(get(session, "/never"), 0.02)
        except TimeoutError as error:
            seen.append(type(error.__cause__).__name__)
    server.close()
    return answers


@program
async def anyio_scopes_within_scopes(seen):
    import anyio

    with anyio.CancelScope() as outer:
        with anyio.move_on_after(0.002) as inner:
            await anyio.sleep(5)
        seen.append((inner.cancelled_caught, outer.cancelled_caught))
        with anyio.CancelScope(shield=True):
            outer.cancel()
            await anyio.sleep(0.001)
            seen.append("shielded")
        await anyio.sleep(5)
    return outer.cancelled_caught


@program
async def anyio_fails_in_a_group(seen):
    import anyio

    async def fail(number):
        await anyio.lowlevel.checkpoint()
        raise ValueError(number)

    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(fail, number, name=f"failing {number}")


@program
async def anyio_runs_in_threads_and_back(seen):
    import anyio
    import anyio.from_thread

    async def back(value):
        await anyio.lowlevel.checkpoint()
        return value + 1, anyio.get_current_task().name.split(".")[-1]

    def other():
        return anyio.from_thread.run(back, 1), anyio.from_thread.run_sync(len, "abc")

    return await anyio.to_thread.run_sync(other)
