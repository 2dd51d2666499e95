"""The part of a log that is in memory: what has come and is not done, and a little of what was before."""

LONGEST_LINE = 1 << 20
"""Bytes of a line that are looked at together; a longer one is cut, so that memory stays flat."""
_KEPT = 64 << 10
"""Bytes before the place reached that are kept, for what stands around a line of a pod's status."""


class Window:
    """Bytes of a log, in lines; positions are those of ``data``.

    Attributes:
        data: the bytes.
        reached: all before this byte is done.
    """

    __slots__ = ("_counted", "_line", "data", "reached")

    def __init__(self) -> None:
        self.data = bytearray()
        self.reached = 0
        self._counted = 0  # up to this byte,
        self._line = 1  # so many line ends, and one, were seen

    def add(self, chunk: bytes) -> None:
        """Take in what has come."""
        self.data += chunk

    def end(self, *, final: bool) -> int:
        """Where the last whole line ends; a line that is too long counts as whole, and so does the last of all."""
        end = len(self.data) if final else self.data.rfind(b"\n") + 1
        return len(self.data) if len(self.data) - max(end, self.reached) > LONGEST_LINE else end

    def begin(self, position: int) -> int:
        """Where the line begins that holds ``position``."""
        return max(self.data.rfind(b"\n", self.reached, position) + 1, self.reached)

    def stop(self, start: int, end: int) -> int:
        """Where the line ends that begins at ``start``: behind its line feed, or at ``end``."""
        found = self.data.find(b"\n", start, end)
        return end if found < 0 else found + 1

    def lines_from(self, start: int, end: int, most: int) -> list[bytes]:
        """At most so many lines from ``start`` on, without their ends."""
        lines: list[bytes] = []
        while start < end and len(lines) < most:
            stop = self.stop(start, end)
            lines.append(bytes(self.data[start:stop]).rstrip(b"\r\n"))
            start = stop
        return lines

    def lines_before(self, start: int, most: int) -> list[bytes]:
        """At most so many lines before ``start``, as far as they are kept."""
        lines: list[bytes] = []
        floor = max(0, start - _KEPT)
        while start > floor and len(lines) < most:
            begin = self.data.rfind(b"\n", floor, start - 1) + 1 or floor
            lines.append(bytes(self.data[begin:start]).rstrip(b"\r\n"))
            start = begin
        return lines[::-1]

    def number(self, start: int) -> int:
        """The number of the line that begins at ``start``, 1 and up."""
        self._line += self.data.count(b"\n", self._counted, start)
        self._counted = start
        return self._line

    def forget(self) -> None:
        """Drop what is done, but for what the next records may look back at."""
        if (done := self.reached - _KEPT) > _KEPT:
            self.number(max(done, self._counted))
            del self.data[:done]
            self.reached -= done
            self._counted -= done
