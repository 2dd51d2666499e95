"""Ends by SIGKILL, as many programs tell them: an OOM kill does that, and so does whoever else may send the signal."""

from detectors.oom_lines.signature import Proof, Signature
from detectors.oom_lines.signatures.daemons import UNIT

_PID = r"(?P<pid>[0-9]+)"
_KILL = {"signal": "SIGKILL"}
_KIND = "process_killed_137"
# Words before it that make a wish, a rule or a test of it.
_TALKS_OF = (
    r"(?P<no_event>(?:(?:=> ?\"|\b(?:[Ss]hould|[Mm]ust|[Mm]ay|[Mm]ight|[Cc]an|[Ww]ould|[Ww]ill|[Ii]f|[Ww]hen|[Ww]here"
    r"|[Ww]hether|[Ee]xit (?:[Cc]ode|[Ss]tatus) 137|[Ee]xpect\w*|[Aa]ssert\w*)\b)[^\n\"]{0,80}?|\bbe(?:en)? ))?"
)
# Nothing but the sentence, in quotes: something that looks for it.
_QUOTED = (
    r"(?P<no_event_2>[\"'`](?:[a-z]+ )?(?:exited|killed|terminated|died) (?:with|by|on) signal:? (?:9|SIGKILL)[\"'`])|"
)


def end(
    literals: tuple[str, ...],
    pattern: str,
    since: str,
    example: str,
    source: str,
    *,
    gate: str = "",
    killed: bool = True,
    whole: bool = False,
) -> Signature:
    """Build a row: all of these have the kind and the (absent) proof in common."""
    return Signature(
        _KIND,
        literals,
        pattern,
        Proof.NOTHING,
        since,
        example,
        source,
        fixed=_KILL if killed else {},
        gate=gate,
        whole=whole,
    )


SIGNALS: tuple[Signature, ...] = (
    end(
        ("was sent SIG", "erhaps out of memory"),
        rf"[Ww]orker \(pid: ?(?:{_PID}|[^)\n]{{0,12}})\) was sent SIGKILL|\bWorker was sent SIGKILL! Perhaps out",
        "gunicorn 20.1",
        "[2026-05-26 19:49:12 +0200] [56] [ERROR] Worker (pid:66) was sent SIGKILL! Perhaps out of memory?",
        "a public deployment log; gunicorn prints it for every SIGKILL",
    ),
    end(
        ("due to signal 9",),
        rf"[Ww]orker with pid {_PID} was terminated due to signal 9\b",
        "gunicorn 20.0",
        "Worker with pid 71 was terminated due to signal 9",
        "benoitc/gunicorn arbiter.py",
    ),
    end(
        ("9/KILL", "code=killed", "exited, code=killed"),
        rf"systemd\[[0-9]+\]: {UNIT}: [MmCc][a-z]+ process (?:(?P<pid>[0-9]+) )?(?:\("
        rf"(?P<process>[^)\n]{{1,32}})\) )?exited, code=killed, (?:status|signal)=(?:9/)?KILL",
        "systemd 1",
        "Dec 22 01:24:58 devbox systemd[1]: XXX.service: Main process exited, code=killed, status=9/KILL",
        "containerd/containerd script/critest.sh",
        gate=r"(?:systemd\[[0-9]+\]: |\"MESSAGE\" ?: ?\").{0,300}code=killed",
    ),
    end(
        ("signal 9", "exited on signal 9", "by signal 9", "with 'signal 9"),
        rf"(?:[Ww]orker [0-9]+ \(pid: {_PID}\) died, killed by signal 9\b"
        r"|server process \(PID (?P<pid_2>[0-9]+)\) was terminated by signal 9"
        r"|worker process (?P<pid_3>[0-9]+) exited on signal 9"
        r"|child (?P<pid_4>[0-9]+),?[^\n]{0,40}? exited on signal 9"
        r"|pid:(?P<pid_5>[0-9]+) exited with 'signal 9 \(SIGKILL\)'"
        r"|process rank [0-9]+ with PID (?P<pid_6>[0-9]+) on node [^\s]{1,80} exited on signal 9"
        r"|exited prematurely: signal 9 \(SIGKILL\)|(?:worker|process|child) (?P<pid_7>[0-9]+) got signal 9\b)",
        "uWSGI, PostgreSQL, nginx, PHP-FPM, Celery, Open MPI",
        "mpirun noticed that process rank 3 with PID 19531 on node myu1404-Lenovo exited on signal 9 (Killed).",
        "a public report on Open MPI",
    ),
    end(
        ("DataLoader worker",),
        r"DataLoader worker(?: \(pid\(?s?\)? (?:(?P<pid>[0-9]+)[0-9, ]*|[^)\n]{0,12})\)| \(?\.\.\.\)?)? (?:is killed by"
        r" signal: Killed|exited unexpectedly with exit code: -?9)",
        "PyTorch 0.4",
        "RuntimeError: DataLoader worker (pid 4242) is killed by signal: Killed.",
        "PyTorch torch/csrc/DataLoader.cpp",
        gate=r"DataLoader worker.{0,40}(?:is killed|exited unex|$)",
    ),
    end(
        ("Killed signal terminated", "terminated program"),
        r"fatal error: Killed signal terminated program\b(?: (?P<process>[a-z0-9][a-z0-9+_-]+))?",
        "GCC 9",
        "c++: fatal error: Killed signal terminated program cc1plus",
        "GNU gcc.c",
        gate=r"Killed signal term",
    ),
    end(
        ("code -9", "status -9", "code: -9", "code=-9", "SIGKILL(-9)"),
        rf"process has died \[(?:pid (?:{_PID}|[^,\n]{{1,12}}), )?exit code -9\b"
        r"|(?:(?:[Rr]eturned non-zero exit status|(?:exited|finished|failed|terminated|died) with (?:an? )?(?:exit "
        r"|return )?(?:code|status)) |\b[Rr]eturn ?code[=:] "
        r"|(?:failed|FAILED) \(exitcode: )-9\b(?:\) local_rank: [0-9]+ \(pid: (?P<pid_2>[0-9]+)\))?"
        r"|exit codes of the workers are \{[^}\n]{0,200}?SIGKILL\(-9\)",
        "ROS 1",
        "[ERROR] [gzserver-1]: process has died [pid 69043, exit code -9]",
        "a public report on Gazebo",
    ),
    end(
        ("Negsignal.SIGKILL",),
        r"(?:return code |exit_?code=<?)Negsignal\.SIGKILL\b",
        "Airflow 2.0",
        "Task exited with return code Negsignal.SIGKILL",
        "Astronomer's documentation of Airflow",
        gate=r"(?:code |=<?)Negsignal\.SIGKILL",
    ),
    end(
        ("signal 9", "signal: 9", "SIGKILL", "signal: killed", "by KILL", "with KILL", "signal=KILL"),
        _QUOTED + _TALKS_OF + rf"(?:Signal 9 \(SIGKILL\) received by PID {_PID}"
        r"|died with <Signals\.SIGKILL: 9>|[Cc]ommand terminated by signal (?:9|SIGKILL)|\(signal: 9, SIGKILL: kill\)"
        r"|(?:error:|exited:|failed:|with error:|status:) signal: killed\b"
        r"|(?:terminated|exited|killed|died|crashed) (?:by|with|via|due to|on|because of) (?:the )?signal:?"
        r" \[?(?:SIGKILL|9\b|KILL\b)\]?"
        r"|[(:] ?(?:terminated|killed) by (?:SIGKILL|KILL signal)|signal=SIGKILL\b|\(code=killed, signal=(?:9/)?KILL\)"
        r"|exited due to SIGKILL\b|exited with SIGKILL\b|via signal \[SIGKILL\]|failed with signal \"?SIGKILL\b"
        r"|[Uu]ncaught signal: 9\b"
        r"|^signal: killed$|: signal: killed(?:$|[\"\'])"
        r"|Container terminated on signal 9\b)",
        "various",
        "subprocess.CalledProcessError: Command '['grk_compress']' died with <Signals.SIGKILL: 9>.",
        "CPython subprocess",
        gate=r"(?:by|on|to|due to|via|with|of) (?:the )?(?:signal:? )?\[?(?:SIGKILL|signal 9|9\b|KILL)"
        r"|Signal 9 \(|signal: (?:killed|9)|Signals\.SIGKILL|signal=(?:SIG|9/)?KILL|(?:terminated"
        r"|killed) by(?: signal)?[ \t]*$|signal \"?\[?SIGKILL",
    ),
    end(
        ("Sending SIGKILL to cgroup",),
        r"Sending SIGKILL to cgroup\b[^\n]{0,160}?\"cgroup\": ?\"(?P<memcg>[^\"]{1,400})\"",
        "Talos 1.12",
        '[talos] Sending SIGKILL to cgroup {"controller": "runtime.OOMController", "cgroup":'
        ' "/sys/fs/cgroup/kubepods/burstable/pod77f06c5c"}',
        "siderolabs/talos",
    ),
    end(
        ("Killed (program",),
        r": Killed \(program (?P<process>[a-z0-9+_-]+)\)",
        "GCC 3",
        "gfortran: Internal error: Killed (program f951)",
        "GNU gcc.c",
    ),
    end(
        ("exitcode",),
        r"exitcode ?: ?-9 \(pid: (?P<pid>[0-9]+)\)",
        "torchrun 1.9",
        "  exitcode  : -9 (pid: 4242)",
        "PyTorch torch/distributed/elastic",
    ),
)
