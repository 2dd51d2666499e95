"""Ends that may have been an OOM kill and may have not: exit status 137, and a shell's "Killed"."""

from detectors.oom_lines.signature import Signature
from detectors.oom_lines.signatures.signals import end

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
            " of ",
            ' "',
            "(s): ",
            " [",
            " (",
            " '",
        )
    ),
    *(
        "odes: 137",
        "code is 137",
        "Code is 137",
        "rrno 137",
        "Error 137",
        "xited 137",
        "xited with 137",
        "xit 137",
        "xited(137",
        "xited (137",
        "xit(137",
        "rc=137",
        "rc: 137",
        'rc": 137',
        "value 137",
    ),
)
_TELLS_OF = (
    r"(?P<no_event>(?:\b[Ss]ymptom\w*\**:|\b(?:[Ii]f|[Ww]hen|[Ss]hould|[Mm]ay|[Mm]ight|[Cc]an|[Ww]ill"
    r"|[Ww]hy|[Mm]eans|[Uu]sually"
    r"|[Tt]ypically|[Oo]ften|[Ee]xpects?|[Aa]ssert\w*|grep|return)\b|==|!=)[^\n\x60]{0,80}?)?"
)
# "exit code 137" without a sign between is a topic, unless something ended with it, or nothing else is said.
_SAID = (
    r"(?:\b(?:[Ww]ith(?: an?)?|[Nn]on-?zero|returned|got|gave|ended|(?:[Ff]ailed|FAILED|[Ee]rror|ERROR"
    r"|[Kk]illed|KILLED):?|ERR!|[Cc]ommand|[Pp]rocess|[Ss]cript|[Jj]ob)|[\])}]:?)\s+"
)
# Nothing but the sentence, in quotes: something that looks for it, or tells how it looks.
_QUOTED = (
    r"(?P<no_event_3>[\"'\x60](?:Process|Container|Command|Job|Task|Build|Worker) [a-z ]{0,40}(?:code|status):?"
    r" 137[\"'\x60])"
)
_GOES_ON = (
    r"(?P<no_event_2>\]\(|[)`*]{0,3} (?:X |(?:and|or|not|is|was|were|has|had|are|means?|indicates?|can|could|may"
    r"|might|but"
    r"|when|because|which|typically|usually|often|if|suggests?|for"
    r"|in (?:the|my|our))\b|=)|: (?:the|an?|your|this|it)\b)?"
)

# "Killed" of glibc and GNU Bash in the languages of their translations: German, French, Spanish, Portuguese, Italian,
# Russian, Polish, Chinese, Japanese, Korean.
_KILLED_ELSEWHERE = (
    "Get\u00f6tet",
    "Tu\u00e9",
    "Processus arr\u00eat\u00e9",
    "Matado",
    "Morto",
    "Ucciso",
    "\u0423\u0431\u0438\u0442\u043e",
    "Unicestwiony",
    "\u5df2\u6740\u6b7b",
    "\u5df2\u6bba\u6b7b",
    "\u5f37\u5236\u7d42\u4e86",
    "\uc8fd\uc5c8\uc74c",
)
_KILLED = rf"(?:Killed|{'|'.join(_KILLED_ELSEWHERE)})"
# What stands before the number: a key and its sign, a sentence about an end, or a tool's own words.
_TOLD = "|".join(
    (
        r"(?:^|request\. )Exit code is |[Ee]xit(?:ed)?[ _]?(?:with )?(?:[Ss]tatus|[Cc]odes?)?(?:\(s\))?[\\\"']?"
        r"(?:[:=] ?| of )[\\\"'(]?",
        r"[Ee]xit(?:ed|ing)? with (?:an? )?(?:exit )?(?:[Ss]tatus|[Cc]odes?) [\\\"'(\[]?",
        rf"{_SAID}[Ee]xit (?:[Ss]tatus|[Cc]odes?) [\\\"'(]?",
        r"exited (?:with|abnormally with) |exited \(exit code |Terminated with |(?:Error|OOMKilled) \(exit code "
        r"|[Ee]xited with code exit status |exited,? (?:code"
        r"|status)=",
        r"[Cc]ontainer [\"'\x60]?[A-Za-z0-9_.-]{1,80}[\"'\x60]? exited \(|Container called exit\(",
        r"exited: [^ \n]{1,80} \(exit status |\(exit status |: exit status ",
        r"returned (?:a )?non-zero (?:exit )?(?:status|code):? ?|(?:with|got|gave|: ) ?[Rr]eturn code (?:of )?",
        r"[Rr]eturn code[=:] ?|\brc[\"']?[=:] ?|\bstatus[\\\"']{0,2}[=:] ?",
        r"npm (?:ERR!|error) (?:code|errno) |(?:\] ?|^|: )Error ",
    )
)
# The number behind a word or two, and nothing else; and Docker's column.
_ALONE = (
    r"(?:^|[\]:] ?|[ \t]{2}|\b(?:OUT|ERR) )[Ee]xit(?:ed)? (?:[Ss]tatus |[Cc]ode )?\(?(?P<exit_code_2>137)\)?(?:[.!]? $"
    r"| returned from )|\bExited \((?P<exit_code_3>137)\) (?:[Aa]bout an? |[0-9]+ [a-z]+ ago|Less than )"
)


EXITS: tuple[Signature, ...] = (
    end(
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
    end(
        ("exitCode=137",),
        r"container die (?P<container_id>[0-9a-f]{12,64}) \([^\n]{0,200}?exitCode=(?P<exit_code>137)"
        r"(?:[^\n]{0,400}?\bname=(?P<container>[^\s,)]+))?",
        "Docker 1.10",
        "container die 9192cb33411f (exitCode=137, image=python:3, name=stress)",
        "docker events",
        killed=False,
    ),
    end(
        ("Exited (137)",),
        r"\b(?P<container_id>[0-9a-f]{12}|[0-9a-f]{64})\s.{0,200}?\bExited \((?P<exit_code>137)\)",
        "Docker 1.0",
        '9192cb33411f   python:3   "python train.py"   2 hours ago   Exited (137) 5 minutes ago   stress',
        "docker ps -a",
        killed=False,
    ),
    end(
        ("non-zero code: 137", "zero code: 137", "zero exit (137", "exit value 137", "with exit code 137"),
        r"(?:[Cc]ommand [^\n]{1,400}? returned a non-zero code|non-zero exit(?: value)?|[Ee]rror[\]:] ?Process"
        r" completed with exit code):? \(?(?P<exit_code>137)\b",
        "Docker 1.0, Docker Swarm, Gradle, GitHub Actions",
        "The command '/bin/sh -c pip install -r requirements.txt' returned a non-zero code: 137",
        "a public note on a small machine",
        gate=r"ommand .{1,400} a non-zero code: 137|zero exit(?: value)? \(?137|rror[\]:] ?Process completed with exit"
        r" code 137",
        killed=False,
    ),
    end(
        _STATUS_137,
        rf"{_QUOTED}|{_TELLS_OF}(?:{_TOLD})(?P<exit_code>137)\b(?:\(SIGKILL| \(interrupted by signal 9)?"
        + _GOES_ON
        + rf"|{_ALONE}",
        "any shell",
        "Process finished with exit code 137 (interrupted by signal 9: SIGKILL)",
        "JetBrains IDEs; 137 is 128 + 9",
        killed=False,
    ),
    end(
        ("Killed", " killed ", "zsh: killed", "Out Of Memory", *_KILLED_ELSEWHERE),
        rf"(?:(?:[^\n]{{0,80}}?: )?(?:line|Zeile|ligne|línea|linha|riga|行) ?[0-9]+(?: 行)?: +(?P<pid>[0-9]+) {_KILLED}"
        r"(?: [^\n]*|$)"
        rf"|\[[0-9]+\][+-]? +(?:(?P<pid_2>[0-9]+) )?{_KILLED}(?: [^\n]*|$)"
        r"|\[[0-9]+\][ ]{1,4}[+-]?[ ]{1,4}(?P<pid_4>[0-9]+) killed[ ]{2}[^\n]*"
        rf"|make(?:\[[0-9]+\])?: \*\*\* \[[^\n]{{1,120}}\] {_KILLED}"
        r"|(?:/?bin/)?(?:ba|z|da|k)?sh: [^\n]{0,60}?\b(?P<pid_3>[0-9]+) Killed\b[^\n]*|zsh: killed\b[^\n]*"
        rf"|srun: error: [^\n]{{1,60}}?: task [0-9]+: (?:Killed|Out Of Memory)|{_KILLED}(?: \((?:core dumped"
        r"|SIGKILL)\)|: 9)?) $",
        "any shell",
        "root@a9eade3085a5:/# python /waste_memory.py\nKilled",
        "moby/moby#15621",
        gate=r"\\nKilled[\\\"]|(?:^|[^\w\n][ \t]*)Killed(?: \((?:core dumped|SIGKILL)\)|: 9)?[ \t\r]*$|(?:line [0-9]+"
        r"|sh"
        r"|zsh):[^\n]{0,60}? [Kk]illed|\][+-]? +(?:[0-9]+ )?Killed|task [0-9]+: (?:Killed|Out Of)"
        r"|^\[[0-9]+\] .{2,24}[0-9] killed |(?:^|: |[0-9\]] )(?:" + "|".join(_KILLED_ELSEWHERE) + r")(?:[ \t\r]|$)",
        whole=True,
    ),
    end(
        ("oom-kill", "oom_kill", "Out Of Memory"),
        r"slurmstepd: error: (?:Detected [0-9]+ oom[-_]kill event|[^\n]{0,40}?exceeded[^\n]{0,10} memory limit)",
        "Slurm 17",
        "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=7021.batch. Some of your processes may"
        " have been killed by the cgroup out-of-memory handler.",
        "SchedMD Slurm task/cgroup",
        gate=r"slurmstepd: error: (?:Det|.{0,40}exceeded)",
    ),
)
