"""A process and its children as a source of samples, with the cgroup that holds them.

Needs: /proc (in a pod shareProcessNamespace: true). Memory by kind, threads and the cgroup's name are shown to
everyone; proportional shares, open files and another container's cgroup files need its user or CAP_SYS_PTRACE.
Cannot see: what `ProcessSource.blind_to` says of the right at hand; never the memory of a GPU.
"""

from collections.abc import Callable

from leakwatch.errors import SourceError
from leakwatch.sample.processes.find import NAME
from leakwatch.sample.processes.life import Life
from leakwatch.trace import Sample


class ProcessSource:
    """Reads a process with its children; when it ends, the next one that `find` gives is another life.

    Memory is the cgroup's wherever the family (with the shell that started it) has a cgroup to itself, as in a
    container: that counts shared pages once, page cache and kernel memory too. Otherwise it is the sum over the family,
    less what they share (the proportional shares tell), and of the cgroup only the limit.

    Args:
        find: which process it is now; asked again when the last one has ended. Raises `SourceError`.
    """

    name = NAME

    def __init__(self, find: Callable[[], int]) -> None:
        self._find = find
        self._life: Life | None = None

    @property
    def blind_to(self) -> tuple[str, ...]:
        """What is hidden from us; empty before the first look."""
        life = self._life
        return life.blind_to if life else ()

    @property
    def pid(self) -> int | None:
        """The process that was read last; None before the first look and after its end."""
        life = self._life  # another thread may be reading, and let go of it meanwhile
        return life.pid if life else None

    def read(self, now_seconds: float) -> Sample:
        """One look; about .2 ms, some milliseconds where children and shares are due.

        Raises:
            SourceError: it is not there (``gone``), or may not be read.
        """
        values = None
        if self._life is not None:
            values = self._life.values(now_seconds)
            if values is None:
                self.close()
        if values is None:
            self._life = Life(self._find())
            values = self._life.values(now_seconds)
        if values is None or self._life is None:
            self.close()
            raise SourceError(NAME, "the process ended while it was read", "it is looked for again", gone=True)
        return Sample(now_seconds, values, life=self._life.name)

    def close(self) -> None:
        """Let go of the process and its cgroup."""
        if self._life is not None:
            self._life.close()
            self._life = None
