"""Who does the work: the cores of this machine, or a Dask cluster. One interface, no scheduler of our own."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol, TypeVar

from leakwatch.errors import LeakwatchError

Task = TypeVar("Task")
Result = TypeVar("Result")
QUEUED_A_WORKER = 4
"""Tasks handed out beyond those that run: enough that nobody waits, few enough that memory stays flat."""


_OF_OUR_WORKERS = {
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1},
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
}
"""Dask's defaults are for large arrays and a dashboard. They have malloc trim at 64 KiB (MALLOC_TRIM_THRESHOLD_), so
that every array of more than 128 KiB is mapped anew and zeroed: half as much again for a judge of small ones. And every
process looks at its threads' stacks, its loop and its memory up to a hundred times a second: 4 % of two cores."""


class Engine(Protocol):
    """Runs a function on tasks, somewhere."""

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """The results, each as soon as it is there, in any order. Both travel by pickle."""


class LocalEngine:
    """All cores of this machine.

    Args:
        workers: processes.
        at_once: tasks that may be under way at a time; None: as many as keep all workers busy.
    """

    def __init__(self, workers: int, at_once: int | None = None) -> None:
        self._workers = max(workers, 1)
        self._at_once = at_once or QUEUED_A_WORKER * self._workers

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """See `Engine.run`.

        Raises:
            LeakwatchError: a worker was killed.
        """
        if self._workers == 1:
            yield from map(function, tasks)
            return
        from multiprocessing import get_context

        context = get_context("forkserver")  # fork would copy the locks of libraries already loaded
        context.set_forkserver_preload([__name__, "leakwatch.fleet.judging"])
        pool = ProcessPoolExecutor(self._workers, mp_context=context, initializer=_end_with_parent)
        waiting: set[Future[Result]] = set()
        left = iter(tasks)
        try:
            while True:
                while len(waiting) < self._at_once and (task := next(left, None)) is not None:
                    waiting.add(pool.submit(function, task))
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BrokenProcessPool as error:
            what = "a worker process was killed, perhaps for want of memory"
            raise LeakwatchError(f"fleet: {what}; go on with --resume, with fewer --workers") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class DaskEngine:
    """A Dask cluster that exists (``tcp://...``), or one of so many processes that is started for this run.

    Workers need leakwatch-agent installed, and have to see the same files. A worker that dies has its tasks done again
    by the others: that is Dask's doing.

    Args:
        scheduler: its address; None: a cluster of ``local_workers`` processes.
        at_once: as `LocalEngine`.
    """

    def __init__(self, scheduler: str | None, local_workers: int | None, at_once: int | None = None) -> None:
        self._at_once = at_once
        try:
            from dask import config
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise LeakwatchError("fleet: Dask is not installed; install leakwatch-agent[fleet]") from error
        try:
            if scheduler is None:
                here = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
                with config.set(_OF_OUR_WORKERS):
                    self._cluster: Any = LocalCluster(n_workers=local_workers, threads_per_worker=1, **here)
                self._client: Any = Client(self._cluster)
            else:
                self._cluster = None
                self._client = Client(scheduler, timeout=10)
        except (OSError, ValueError) as error:
            what = f"no Dask scheduler answers at {scheduler}"
            raise LeakwatchError(f"fleet: {what}; start one with: dask scheduler") from error

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """See `Engine.run`.

        Raises:
            LeakwatchError: the cluster gave a task up, or is gone.
        """
        from distributed import as_completed

        workers = max(len(self._client.scheduler_info()["workers"]), 1)
        left = iter(tasks)
        at_once = self._at_once or QUEUED_A_WORKER * workers
        first = deque(self._client.submit(function, task, pure=False) for task in _some(left, at_once))
        if not first:
            return
        running = as_completed(first)
        try:
            for future in running:
                yield future.result()
                future.release()
                for task in _some(left, 1):
                    running.add(self._client.submit(function, task, pure=False))
        except LeakwatchError:
            raise
        except Exception as error:
            what = f"the Dask cluster gave up ({type(error).__name__}: {error})"
            raise LeakwatchError(f"fleet: {what}; go on with --resume") from error

    def close(self) -> None:
        """Leave the cluster; one that was started for this run ends."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


def _some(tasks: Iterator[Task], count: int) -> Iterator[Task]:
    for _ in range(count):
        try:
            yield next(tasks)
        except StopIteration:
            return


def _end_with_parent() -> None:
    """In a worker: should whoever started it be killed, it waits for no more work."""
    import os
    from multiprocessing import parent_process
    from threading import Thread

    def wait_for_end() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait_for_end, daemon=True).start()
