"""The kernel's lines of the kill itself, mm/oom_kill.c, from 2.4 to 6.x."""

from detectors.oom_lines.signature import Proof, Signature

# A name may end in a bracket of its own, as in "((sd-pam))".
NAME = r"\((?P<process>[^\n]{1,64}?\)?)\)"
MEMORY = (
    r"(?:(?:total-vm|vsz|vm): (?P<total_vm_kb>[0-9]+) kB,?)?(?: rss: (?P<anon_rss_kb_2>[0-9]+) kB)?(?:"
    r" anon-rss: (?P<anon_rss_kb>[0-9]+) kB,?)?"
    r"(?: file-rss: (?P<file_rss_kb>[0-9]+) kB,?)?(?: shmem-rss: (?P<shmem_rss_kb>[0-9]+) kB,?)?"
    r"(?: UID : (?P<uid_2>[0-9]+),?)?(?: pgtables: (?P<pgtables_kb>[0-9]+) kB,?)?(?: oom_score_adj: "
    r"(?P<oom_score_adj>-?[0-9]+))?"
)
KILL = (
    rf"(?:OOM )?[Kk]ill(?P<killed>(?:ed)?) process :? (?:(?P<pid>[0-9]+),?(?: UID :? (?P<uid>[0-9]+),)?)?(?: {NAME}"
    rf"(?:,? UID :? (?P<uid_3>[0-9]+),?)?"
    rf"(?:,? score (?P<score>[0-9]+)(?: or (?:a child|sacrifice child))?|[,.:;]? {MEMORY}))"
)
LEAD_MEMCG = r"Memory cgroup out of memory(?: \([a-z_]+\))?"
LEAD_SYSTEM = r"(?:Out of [Mm]emory(?: \([a-z_]+\)| in UB [0-9]+)?|No available memory (?:in cpuset|\(MPOL_BIND\)))"
KILL_LITERALS = (
    "ill process",
    "illed process",
    "sacrifice child",
    "total-vm:",
    "anon-rss:",
    "emory cgroup out",
    "ut of memory",
    "Out of Memory",
    "No available memory",
)
KILL_GATE = (
    r"[Kk]ill(?:ed)? process :?[ \t\r]?[0-9(]|(?:(?:total-vm|anon-rss|vsz):[0-9])|ut of [Mm]emory(?: \([a-z_ ]+\)|"
    r" in UB [0-9]+)?: (?:OOM )?[Kk]ill|o available memory [^\n]{4,16}: [Kk]ill"
    r"|sacrifice child|score [0-9]+ or a|^[ \t>#]*Kill(?:ed)? proce?s?s?$"
)
_OOM_KILL_C = "kernel mm/oom_kill.c"

KILLS: tuple[Signature, ...] = (
    Signature(
        kind="kernel_oom_kill",
        literals=KILL_LITERALS,
        gate=KILL_GATE,
        pattern=rf"{LEAD_MEMCG}: {KILL}",
        proves=Proof.KILL,
        since="2.6.25",
        example="Memory cgroup out of memory: Killed process 8283 (python) total-vm:217336kB,"
        " anon-rss:204272kB, file-rss:6660kB,"
        " shmem-rss:0kB, UID:0 pgtables:464kB oom_score_adj:0",
        source="a kill provoked for leakwatch on kernel 6.18",
        fixed={"scope": "memcg"},
    ),
    Signature(
        kind="kernel_oom_kill",
        literals=KILL_LITERALS,
        gate=KILL_GATE,
        pattern=rf"{LEAD_SYSTEM}: {KILL}",
        proves=Proof.KILL,
        since="2.4",
        example="[Thu Apr  2 15:52:54 2020] Out of memory: Killed process 2829 (rustc) total-vm:365980kB,"
        " anon-rss:101964kB,"
        " file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:576kB oom_score_adj:0",
        source="rustc report, 2020",
        fixed={"scope": "system"},
    ),
    Signature(
        kind="kernel_oom_kill",
        literals=KILL_LITERALS,
        gate=KILL_GATE,
        pattern=rf"[Kk]ill(?P<killed>(?:ed)?) process :? (?P<pid>[0-9]+),?(?: UID :? (?P<uid>[0-9]+),)? {NAME}"
        rf"(?:,? UID :? (?P<uid_3>[0-9]+),?)?"
        rf"(?:,? score (?P<score>[0-9]+)(?: or (?:a child|sacr)[a-z]*(?: child)?"
        rf"| vm:[0-9]+ kB, rss:[0-9]+ kB[^\n]{{0,20}})|[,.:;]? (?:total-v|vsz:"
        rf"|anon-rss:)(?:m?:? (?P<total_vm_kb>[0-9]+) kB,?)? {MEMORY})",
        proves=Proof.KILL,
        since="2.6.18",
        example="[Thu Dec  7 00:05:15 2017] Killed process 28438 (java) total-vm:20255636kB,"
        " anon-rss:466160kB, file-rss:13684kB",
        source="kubernetes/kubernetes#56891",
    ),
    Signature(
        kind="kernel_oom_kill",
        literals=("total-vm:", "anon-rss:", "sacrifice child", "or a child"),
        gate=KILL_GATE,
        pattern=rf"(?:(?:[a-z ]*s (?P<pid>[0-9]+) )?{NAME} )?(?:total-vm|vsz): (?P<total_vm_kb>[0-9]+)"
        rf" kB,? (?:anon-rss: (?P<anon_rss_kb_2>[0-9]+) kB,?) {MEMORY}",
        proves=Proof.KILL,
        since="2.6.18",
        example="rocess 28438 (java) total-vm:20255636kB, anon-rss:466160kB, file-rss:13684kB",
        source="the same line, its beginning cut off",
    ),
    Signature(
        kind="kernel_oom_kill",
        literals=("sacrifice child", "or a child"),
        gate=KILL_GATE,
        pattern=rf"(?:[a-z ]*s (?P<pid>[0-9]+) )?{NAME},? score (?P<score>[0-9]+) or (?:a|sacrifice) child",
        proves=Proof.KILL,
        since="2.6.24",
        example="ess 450 (plymouthd) score 38 or a child",
        source="the choice of a victim before 4.19, its beginning cut off",
        fixed={"stage": "selected"},
    ),
    Signature(
        kind="kernel_oom_kill",
        literals=("ill process", "illed process"),
        gate=KILL_GATE,
        pattern=rf"(?:^|kernel: |\] )Kill(?P<killed>(?:ed)?) process (?P<pid>[0-9]+) {NAME}(?:,? (?:UID"
        rf"|tot)[a-zA-Z0-9 :-]*|,? sc[a-z0-9 ]*)? $",
        proves=Proof.KILL,
        since="2.6.18",
        example="kernel: Killed process 1234 (java)",
        source="the same line cut short",
        cut=True,
        whole=True,
    ),
    Signature(
        kind="kernel_oom_kill",
        literals=KILL_LITERALS,
        gate=KILL_GATE,
        pattern=rf"(?:{LEAD_MEMCG}|{LEAD_SYSTEM}): (?:OOM )?[Kk]ill(?P<killed>(?:ed)?) process :?"
        rf" (?P<pid>[0-9]+)\b(?: {NAME})?",
        proves=Proof.KILL,
        since="2.4",
        example="[ 1171.795551] Out of memory: Killed process 1669",
        source="the same line cut short",
        cut=True,
    ),
    Signature(
        kind="kernel_oom_kill",
        literals=("memory.oom.group", "oom.group set", "going to be killed"),
        pattern=r"(?P<memcg>/|[^\s,]*/[^\s,]+) are going to be killed due to memory\.oom\.group",
        proves=Proof.KILL,
        since="4.19",
        example="Tasks in /kubepods.slice are going to be killed due to memory.oom.group set",
        source=_OOM_KILL_C,
        fixed={"scope": "memcg"},
    ),
    Signature(
        kind="kernel_oom_kill",
        literals=("ut of memory", "deadlocked on memory"),
        gate=r"not syncing: (?:Out of m|System is dead)|(?:^|[^\"'`=\n])Out of memory and no killable",
        pattern=r"(?:Kernel panic - not syncing: (?:Out of memory\b|System is deadlocked on memory)"
        r"|(?:^|[^\"'`=])Out of memory and no killable processes\.\.\.)",
        proves=Proof.KILL,
        since="2.6.0",
        example="Kernel panic - not syncing: Out of memory and no killable processes...",
        source=_OOM_KILL_C,
        fixed={"scope": "system"},
    ),
)
