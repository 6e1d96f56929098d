"""A site that behaves as sites should not: it serves what kinds.py lists, by raw sockets."""

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from helpers.kinds import HOLD, KINDS, RESET, page


@dataclass
class Site:
    """A hostile site that runs: `asked` is the heads of all requests; `url(kind)` where to find a kind."""

    port: int
    refusing: int
    connections: int = 0  # so far
    asked: list = field(default_factory=list)

    def url(self, kind, number=0):
        return f"http://127.0.0.1:{self.port}/{quote(kind)}?{number}"


class Hostile:
    """As a context manager: the site, each connection in a thread; all ended with the block."""

    def __init__(self, kinds=KINDS, tls=None):
        self.kinds, self.tls = kinds, tls
        self.over = threading.Event()
        self.connections = set()

    def __enter__(self):
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.refusing = socket.socket()
        self.refusing.bind(("127.0.0.1", 0))  # bound, but not listening
        self.site = Site(self.listening.getsockname()[1], self.refusing.getsockname()[1])
        self.accepting = threading.Thread(target=self._accept, name="hostile site")
        self.accepting.start()
        return self.site

    def __exit__(self, *problem):
        self.over.set()
        with suppress(OSError):  # which wakes the one who accepts, everywhere
            socket.create_connection(("127.0.0.1", self.site.port)).close()
        self.accepting.join()
        self.listening.close()
        self.refusing.close()
        for connection, thread in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _accept(self):
        while True:
            connection, _ = self.listening.accept()
            if self.over.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self.connections.add((connection, thread))
            self.site.connections += 1
            thread.start()

    def _serve(self, connection):
        with (
            suppress(OSError),
            self.tls.wrap_socket(connection, server_side=True) if self.tls else connection as connection,
        ):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                came = connection.recv(65536)
                if not came:
                    return
                head += came
            self.site.asked.append(head)
            for act in self._does(head):
                if act is RESET:
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                if act is HOLD:
                    connection.recv(1)  # nothing comes until the client, or the block, ends the connection
                    return
                if isinstance(act, bytes):
                    ports = {b"PORT": self.site.port, b"REFUSING": self.site.refusing}
                    for name, port in ports.items() if b"Location" in act else ():
                        act = act.replace(b":" + name, b":%d" % port)
                    connection.sendall(act)
                else:
                    self.over.wait(act)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(2)
            while connection.recv(65536):  # what is unread when one closes would reset the connection
                pass

    def _does(self, head):
        name = unquote(head.split()[1].decode().partition("?")[0].removeprefix("/"))
        if name == "own":  # a page that says for whom it is
            return [page(head.split()[1])]
        if name == "echo":
            return [page(head)]
        if name == "without a password":
            return [page(b"told" if b"authorization" in head.lower() else b"good")]
        if name == "cookies":  # a page of those that it was given
            return [page(b"".join(line[8:] for line in head.split(b"\r\n") if line.startswith(b"Cookie: ")))]
        if b"marked=yes" in head:
            return [page(b"marked", status=b"403 Marked")]
        return self.kinds[name].does if name in self.kinds else [page(status=b"404 Not here")]
