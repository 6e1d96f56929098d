"""What an engine supplies for each URL: a line to the network. All that the three ways of `fetch` differ in is behind it."""

from typing import Protocol


class Line(Protocol):
    """One connection at a time. Where an engine blocks, these coroutines have done their work when they first return.

    Each raises TimeoutError when the time of the URL is up, or is cancelled then; else OSError as a socket does.
    """

    def phase(self, label: str) -> None:
        """From now on this is what is being done."""

    def left(self) -> float:
        """Seconds that are left for the URL."""

    async def look_up(self, host: str, port: int) -> list[tuple[int, tuple]]:
        """The addresses of a name, each with its family."""

    async def connect(self, family: int, address: tuple, share: int) -> None:
        """Opens a connection, within the `share`th part of what is left of the time."""

    async def send(self, data: bytes) -> None:
        """Sends all of it."""

    async def receive(self) -> bytes:
        """What comes next; nothing: the other side has ended the connection."""

    async def pause(self, seconds: float) -> None:
        """Lets so much time pass."""

    async def breathe(self) -> None:
        """Lets others have a turn, if it is time for that."""

    def close(self) -> None:
        """Ends the connection, if there is one; another may follow."""
