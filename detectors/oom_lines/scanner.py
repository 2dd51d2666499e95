"""The stream: bytes in, events out, in input order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import tzinfo
from itertools import count

from detectors.oom_lines.documents import LINES_AFTER, LINES_BEFORE, around, unquoted
from detectors.oom_lines.enclosed import document, is_message, is_state, text_within
from detectors.oom_lines.fields import Value
from detectors.oom_lines.incidents import Assembler
from detectors.oom_lines.joining import CONTINUATIONS, EXIT, LOOK_BACK, OOM_STATES, Found, ends, find, merged
from detectors.oom_lines.messages import messages
from detectors.oom_lines.recognise import prefilter, recognise
from detectors.oom_lines.signature import Proof
from detectors.oom_lines.tasks import TaskTable
from detectors.oom_lines.times import Clock
from detectors.oom_lines.window import LONGEST_LINE, Window
from detectors.types import Incident, OomEvent

_LONGEST_TEXT = 4096
_DOCUMENT_KINDS = ("k8s_status_oomkilled", "docker_oom_event", "process_killed_137")
_MOST_WITHIN = 64
"""Events of one line that holds many; more are an attack or a test."""
_REASON_OF_KILLS = "OOMKilling"


class Scanner:
    """Reads a log, in chunks cut anywhere, and tells its memory events.

    A line without an event costs one pass of the prefilter and no Python. What is held back at the end of a chunk is at
    most the lines that a wrapped message or a pod's status may still need; ``finish`` lets go of them.

    Args:
        year: of the first line whose date has none; None: such lines have no time.
        zone: of times without an offset; None means UTC.
        boot: Unix seconds of the kernel's zero; None: a bare kernel uptime is no time.
        numbers: of the incidents; those of scanners that share them are unique over all; None: 1, 2, ...
        wrapped: whether lines may be cut within words, as in a copied terminal; a log that is read as it is written has
            none such, and without them the scanner takes 7 MiB less.
    """

    def __init__(
        self,
        *,
        year: int | None = None,
        zone: tzinfo | None = None,
        boot: float | None = None,
        numbers: Iterator[int] | None = None,
        wrapped: bool = True,
    ) -> None:
        self._wrapped = wrapped
        self._clock = Clock(year, zone, boot)
        self._assembler = Assembler(count(1) if numbers is None else numbers)
        self._tasks: TaskTable | None = None
        self._window = Window()

    def feed(self, chunk: bytes) -> list[OomEvent]:
        """Read on; returns the events that are now certain, in input order."""
        self._window.add(chunk)
        return self._advance(final=False)

    def finish(self) -> list[OomEvent]:
        """End of input: the events that were held back."""
        return self._advance(final=True)

    def incidents(self) -> list[Incident]:
        """The incidents that later lines may still tell more of, at most the last 200, in order of their numbers."""
        return self._assembler.incidents()

    def settled(self) -> list[Incident]:
        """The incidents that nothing more is told of, each given once: taken after each chunk, memory stays flat."""
        return self._assembler.settled()

    def incident(self, number: int) -> Incident | None:
        """What is known of one incident; None where it is settled."""
        return self._assembler.incident(number)

    def _advance(self, *, final: bool) -> list[OomEvent]:
        events: list[OomEvent] = []
        window = self._window
        end = window.end(final=final)
        while window.reached < end:
            if self._tasks is not None and not self._read_tasks(end, final=final):
                break
            hit = prefilter(wrapped=self._wrapped).first(window.data, window.reached, end)
            if hit < 0:
                window.reached = end
                break
            start = window.begin(hit)
            reached = self._candidate(start, end, events, final=final)
            if reached is None and end - start <= LONGEST_LINE:
                window.reached = start
                break
            window.reached = reached if reached is not None else window.stop(start, end)
        window.forget()
        return events

    def _candidate(self, start: int, end: int, events: list[OomEvent], *, final: bool) -> int | None:
        """Read the record at ``start``; returns where to go on, None where it needs lines that have not come yet."""
        after = self._window.lines_from(start, end, CONTINUATIONS + 1)
        before = self._window.lines_before(start, LOOK_BACK)
        lines, index = [*before, *after], len(before)
        raw = lines[index]
        if within := document(raw):
            self._document_line(within, raw, start, events)
            return self._window.stop(start, end)
        found = find(lines, index, self._clock)
        if self._within(raw, found, start, events):
            return self._window.stop(start, end)
        joinable = not found or found[-1].may_go_on
        if not final and joinable and not ends(after, self._clock):
            return None
        taken = 1
        for one in merged(found):
            fields, kind = dict(one.hit.fields), one.hit.signature.kind
            if kind in _DOCUMENT_KINDS and is_state(raw) or kind == "kernel_oom_kill" and is_message(raw):
                window = self._window.lines_from(start, end, LINES_AFTER)
                if not final and len(window) < LINES_AFTER:
                    return None
                earlier = self._window.lines_before(start, LINES_BEFORE)
                told = around([unquoted(line) for line in (*earlier, *window)], len(earlier))
                if not _belongs(kind, told):
                    continue
                if kind in _DOCUMENT_KINDS:
                    fields = {**fields, **told}
                elif str(told.get("reason", "")).endswith(_REASON_OF_KILLS):
                    one = _reported(one)
            self._tell(one, fields, start, lines[one.first : one.first + one.lines], index - one.first, events)
            taken = max(taken, one.first + one.lines - index)
        position = start
        for _ in range(taken):
            position = self._window.stop(position, end)
        return position

    def _within(self, raw: bytes, found: Sequence[Found], start: int, events: list[OomEvent]) -> bool:
        """Tell of the line as the text of several lines that it holds, where that tells more than the line as it is."""
        text = text_within(raw)
        if text is None:
            return False
        inner = _Inner(self._clock, wrapped=self._wrapped).read(text)
        found = merged(found)
        kinds = {one.hit.signature.kind for one in found}
        told = sum(len(one.hit.fields) for one in found)
        same = {one.hit.signature.kind for one, _ in inner} == kinds
        if not inner or found and not (same and sum(len(fields) for _, fields in inner) > told):
            return False
        at = found[0].at if found else messages(raw, self._clock)[0].at
        for one, fields in inner:
            self._tell(Found(one.hit, at if one.at is None else one.at, 0, 1), fields, start, [raw], 0, events)
        return True

    def _document_line(self, lines: Sequence[str], raw: bytes, start: int, events: list[OomEvent]) -> None:
        """A JSON document in one line: its states from its layout, all else from the line as it is."""
        told_kinds: set[str] = set()
        for at, text in enumerate(lines):
            line = text.encode("utf-8", "replace")
            for hit in recognise(line) if is_state(line) else ():
                told = around(lines, at)
                if hit.signature.kind in _DOCUMENT_KINDS and _belongs(hit.signature.kind, told):
                    self._tell(Found(hit, None, 0, 1), {**hit.fields, **told}, start, [raw], 0, events)
                    told_kinds.add(hit.signature.kind)
        found = find([raw], 0, self._clock)
        if not told_kinds and self._within(raw, found, start, events):
            return
        for one in merged(found):
            if one.hit.signature.kind not in told_kinds and (
                told_kinds.isdisjoint(OOM_STATES) or one.hit.signature.kind != EXIT
            ):
                self._tell(one, dict(one.hit.fields), start, [raw], 0, events)

    def _tell(
        self,
        found: Found,
        fields: dict[str, Value],
        start: int,
        lines: Sequence[bytes],
        behind: int,
        events: list[OomEvent],
    ) -> None:
        signature = found.hit.signature
        number = self._window.number(start) - behind
        if not signature.kind:
            if "columns" in fields:
                self._tasks = TaskTable()
            self._assembler.context(fields)
            return
        proves = signature.proves is Proof.KILL
        incident = self._assembler.assign(signature.kind, fields, found.at, number, proves=signature.proves)
        text = b"\n".join(lines)[:_LONGEST_TEXT].decode("utf-8", "replace").replace("\0", "\ufffd")
        events.append(OomEvent(signature.kind, number, found.lines, found.at, text, fields, incident, proves))

    def _read_tasks(self, end: int, *, final: bool) -> bool:
        """Read on in the kernel's process table; False where it may go on beyond ``end``."""
        assert self._tasks is not None
        window = self._window
        while window.reached < end:
            stop = window.stop(window.reached, end)
            if not self._tasks.read(bytes(window.data[window.reached : stop])):
                self._assembler.tasks(self._tasks)
                self._tasks = None
                return True
            window.reached = stop
        if final:
            self._assembler.tasks(self._tasks)
        return False


class _Inner(Scanner):
    """Reads the lines of a text that came in one line; a text within that text is not opened."""

    def __init__(self, clock: Clock, *, wrapped: bool) -> None:
        super().__init__(wrapped=wrapped)
        self._clock = clock
        self._told: list[tuple[Found, dict[str, Value]]] = []

    def read(self, text: bytes) -> list[tuple[Found, dict[str, Value]]]:
        """What the text tells, from its first line to its last."""
        self.feed(text)
        self.finish()
        return self._told

    def _within(self, raw: bytes, found: Sequence[Found], start: int, events: list[OomEvent]) -> bool:
        return False

    def _tell(
        self,
        found: Found,
        fields: dict[str, Value],
        start: int,
        lines: Sequence[bytes],
        behind: int,
        events: list[OomEvent],
    ) -> None:
        if "columns" not in fields and len(self._told) < _MOST_WITHIN:
            self._told.append((found, fields))


def _reported(found: Found) -> Found:
    """The same, told by node-problem-detector: its reason is another entry of the event."""
    signature = replace(found.hit.signature, kind="kubelet_oom_event")
    return replace(found, hit=replace(found.hit, signature=signature))


def _belongs(kind: str, told: dict[str, Value]) -> bool:
    """An exit code beside the reason OOMKilled is that event's, and no event of its own."""
    return not (kind == "process_killed_137" and told.get("reason") in ("OOMKilled", "OOM Killed"))
