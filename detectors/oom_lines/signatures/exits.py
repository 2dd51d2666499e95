"""Ends that may have been an OOM kill and may have not: SIGKILL and exit status 137, as many programs tell it."""

from detectors.oom_lines.signature import Proof, Signature
from detectors.oom_lines.signatures.daemons import UNIT

_PID = r"(?P<pid>[0-9]+)"
_KILL = {"signal": "SIGKILL"}
_KIND = "process_killed_137"
# Not "137" alone: it is a port, a millisecond and a part of many numbers. kubectl describe puts four blanks after
# its colon.
_STATUS_137 = (
    *(
        f"{word}{joint}137"
        for word in ("ode", "atus")
        for joint in (
            " ",
            ":",
            ": ",
            "=",
            "= ",
            " = ",
            ":    ",
            '":',
            '": ',
            '=\\"',
            '="',
            " is ",
            " of ",
            ' "',
            "(s): ",
            " (",
            " '",
        )
    ),
    *("odes: 137", "Code is 137", "rrno 137", "Error 137", "xited 137", "xit 137", "xited(137", "xited (137"),
)
_TELLS_OF = (
    r"(?P<no_event>(?:\b(?:[Ii]f|[Ww]hen|[Ss]hould|[Mm]ay|[Mm]ight|[Cc]an|[Ww]hy|[Mm]eans|[Uu]sually"
    r"|[Tt]ypically|[Oo]ften|[Ee]xpects?|[Aa]ssert\w*|grep|return)\b|==|!=)[^\n]{0,80}?)?"
)
_GOES_ON = (
    r"(?P<no_event_2> (?:(?:and|or|not|is|was|were|has|had|are|means?|indicates?|can|could|may|might|but|when|because"
    r"|which|typically|usually|often|if|suggests?|for)\b|=)|: (?:the|an?|your|this|it)\b)?"
)


def _exit(
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


EXITS: tuple[Signature, ...] = (
    _exit(
        ("was sent SIG", "erhaps out of memory"),
        rf"[Ww]orker \(pid: ?(?:{_PID}|[^)\n]{{0,12}})\) was sent SIGKILL|\bWorker was sent SIGKILL! Perhaps out",
        "gunicorn 20.1",
        "[2026-05-26 19:49:12 +0200] [56] [ERROR] Worker (pid:66) was sent SIGKILL! Perhaps out of memory?",
        "a public deployment log; gunicorn prints it for every SIGKILL",
    ),
    _exit(
        ("due to signal 9",),
        rf"[Ww]orker with pid {_PID} was terminated due to signal 9\b",
        "gunicorn 20.0",
        "Worker with pid 71 was terminated due to signal 9",
        "benoitc/gunicorn arbiter.py",
    ),
    _exit(
        ("9/KILL", "code=killed"),
        rf"systemd\[[0-9]+\]: {UNIT}: [MC][a-z]+ process (?:(?P<pid>[0-9]+) )?(?:\("
        rf"(?P<process>[^)\n]{{1,32}})\) )?exited, code=killed, (?:status|signal)=(?:9/)?KILL",
        "systemd 1",
        "Dec 22 01:24:58 devbox systemd[1]: XXX.service: Main process exited, code=killed, status=9/KILL",
        "containerd/containerd script/critest.sh",
        gate=r"(?:systemd\[[0-9]+\]: |\"MESSAGE\" ?: ?\").{0,300}code=killed",
    ),
    _exit(
        (
            "signal 9",
            "signal: 9",
            "SIGKILL",
            "killed by signal",
            "signal: Killed",
            "signal: killed",
            "Killed signal",
            "exited unexpectedly",
            "by KILL",
            "with KILL",
        ),
        rf"(?P<no_event>=> ?\"[^\n\"]{{0,80}}?)?(?:[Ww]orker [0-9]+ \(pid: {_PID}\) died, killed by signal 9\b"
        r"|server process \(PID (?P<pid_2>[0-9]+)\) was terminated by signal 9"
        r"|worker process (?P<pid_3>[0-9]+) exited on signal 9"
        r"|child (?P<pid_4>[0-9]+),?[^\n]{0,40}? exited on signal 9"
        r"|pid:(?P<pid_5>[0-9]+) exited with 'signal 9 \(SIGKILL\)'"
        r"|Signal 9 \(SIGKILL\) received by PID (?P<pid_6>[0-9]+)"
        r"|exited prematurely: signal 9 \(SIGKILL\)"
        r"|DataLoader worker \(pid\(?s?\)? (?:(?P<pid_7>[0-9]+)[0-9, ]*|[^)\n]{0,12})\) (?:is killed by"
        r" signal: Killed|exited unexpectedly with exit code: -?9)"
        r"|died with <Signals\.SIGKILL: 9>|[Cc]ommand terminated by signal (?:9|SIGKILL)|\(signal: 9, SIGKILL: kill\)"
        r"|(?:error:|exited:|failed:|with error:|status:) signal: killed\b|fatal error: Killed signal"
        r" terminated program (?P<process>[a-z0-9+_-]+)"
        r"|(?:terminated|exited|killed|died|crashed) (?:by|with|via|due to|on|because of) (?:the )?signal:?"
        r" \[?(?:SIGKILL|9\b|KILL\b)\]?"
        r"|(?:terminated|killed) by (?:SIGKILL|KILL signal)|signal=SIGKILL\b)",
        "various",
        "RuntimeError: DataLoader worker (pid 4242) is killed by signal: Killed.",
        "PyTorch torch/csrc/DataLoader.cpp",
        gate=r"(?:by|on|to|due to|via|with|ith ') ?(?:the )?(?:signal:? )?\[?(?:SIGKILL|signal 9|9\b|KILL)"
        r"|Signal 9 \(|prematurely: signal 9|signal: (?:[Kk]illed|9)|by signal: Kil|Signals\.SIGKILL"
        r"|signal=SIGKILL|Killed signal term|\(pid.{0,14}\) (?:is killed|exited unex)|worker \(pid",
    ),
    _exit(
        ("Sending SIGKILL to cgroup",),
        r"Sending SIGKILL to cgroup\b[^\n]{0,160}?\"cgroup\": ?\"(?P<memcg>[^\"]{1,400})\"",
        "Talos 1.12",
        '[talos] Sending SIGKILL to cgroup {"controller": "runtime.OOMController", "cgroup":'
        ' "/sys/fs/cgroup/kubepods/burstable/pod77f06c5c"}',
        "siderolabs/talos",
    ),
    _exit(
        ("Killed (program",),
        r": Killed \(program (?P<process>[a-z0-9+_-]+)\)",
        "GCC 3",
        "gfortran: Internal error: Killed (program f951)",
        "GNU gcc.c",
    ),
    _exit(
        ("exitcode",),
        r"exitcode ?: ?-9 \(pid: (?P<pid>[0-9]+)\)",
        "torchrun 1.9",
        "  exitcode  : -9 (pid: 4242)",
        "PyTorch torch/distributed/elastic",
    ),
    _exit(
        ("exit_status:137", "exit_status: 137", 'exit_status":137', "exit_status=137"),
        r"(?:container_id|\bid|ContainerID)[\\\"]*[:=] ?[\\\"]*"
        r"(?P<container_id>[0-9a-f]{64}).{0,160}?pid[\\\"]*[:=] ?"
        r"(?P<pid>[0-9]+).{0,20}?exit_status[\\\"]*[:=] ?(?P<exit_code>137)\b",
        "containerd 1.7",
        r'msg="received exit event'
        r" container_id:\"9192cb33411ff69d015a3577db136757f5b145064a1703efea3d0e12e8a64987\"  id:\"9192\" "
        r' pid:7620  exit_status:137"',
        "a public report on AKS, 2025",
        killed=False,
    ),
    _exit(
        ("exitCode=137",),
        r"container die (?P<container_id>[0-9a-f]{12,64}) \([^\n]{0,200}?exitCode=(?P<exit_code>137)"
        r"(?:[^\n]{0,400}?\bname=(?P<container>[^\s,)]+))?",
        "Docker 1.10",
        "container die 9192cb33411f (exitCode=137, image=python:3, name=stress)",
        "docker events",
        killed=False,
    ),
    _exit(
        ("Exited (137)",),
        r"^(?P<container_id>[0-9a-f]{12}|[0-9a-f]{64})\s.{0,200}?\bExited \((?P<exit_code>137)\)",
        "Docker 1.0",
        '9192cb33411f   python:3   "python train.py"   2 hours ago   Exited (137) 5 minutes ago   stress',
        "docker ps -a",
        killed=False,
    ),
    _exit(
        _STATUS_137,
        rf"{_TELLS_OF}(?:[Ee]xit(?:ed)?[ _]?(?:with )?(?:[Ss]tatus|[Cc]odes?)?(?:\(s\))?[\\\"']?(?:[:=] ?| is "
        rf"| of | )[\\\"'(]?|exited (?:with|abnormally with) |returned (?:a )?non-zero (?:exit )?(?:status"
        rf"|code):? ?|npm ERR! (?:code|errno) |\bstatus[=:] ?|Error )(?P<exit_code>137)\b(?:\(SIGKILL|"
        rf" \(interrupted by signal 9)?" + _GOES_ON,
        "any shell",
        "Process finished with exit code 137 (interrupted by signal 9: SIGKILL)",
        "JetBrains IDEs; 137 is 128 + 9",
        killed=False,
    ),
    _exit(
        ("Killed", "zsh: killed"),
        r"(?:[^\n]{0,80}?: line [0-9]+: +(?P<pid>[0-9]+) Killed\b[^\n]*|\[[0-9]+\][+-]? +(?:(?P<pid_2>[0-9]+)"
        r" )?Killed\b[^\n]*|make(?:\[[0-9]+\])?: \*\*\* \[[^\n]{1,120}\] Killed"
        r"|(?:/?bin/)?(?:ba|z|da|k)?sh: [^\n]{0,60}?\b(?P<pid_3>[0-9]+) Killed\b[^\n]*|zsh: killed\b[^\n]*"
        r"|srun: error: [^\n]{1,60}?: task [0-9]+: (?:Killed|Out Of Memory)|Killed(?: \((?:core dumped"
        r"|SIGKILL)\)|: 9)?) $",
        "any shell",
        "root@a9eade3085a5:/# python /waste_memory.py\nKilled",
        "moby/moby#15621",
        gate=r"(?:^|[^\w\n][ \t]*)Killed(?: \((?:core dumped|SIGKILL)\)|: 9)?[ \t\r]?$|(?:line [0-9]+|sh"
        r"|zsh):[^\n]{0,60}? [Kk]illed|\][+-]? +(?:[0-9]+ )?Killed|task [0-9]+: (?:Killed|Out Of)",
        whole=True,
    ),
    _exit(
        ("oom-kill", "oom_kill", "Out Of Memory"),
        r"slurmstepd: error: (?:Detected [0-9]+ oom[-_]kill event|[^\n]{0,40}?exceeded[^\n]{0,10} memory limit)",
        "Slurm 17",
        "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=7021.batch. Some of your processes may"
        " have been killed by the cgroup out-of-memory handler.",
        "SchedMD Slurm task/cgroup",
        gate=r"slurmstepd: error: (?:Det|.{0,40}exceeded)",
    ),
)
