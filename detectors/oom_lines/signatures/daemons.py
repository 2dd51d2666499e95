"""Daemons that act before the kernel, systemd-oomd and earlyoom; and systemd, which reports what the kernel did."""

from detectors.oom_lines.signature import Proof, Signature

UNIT = r"(?P<unit>[a-zA-Z0-9:_.\\@-]{1,250}\.(?:service|scope|slice|socket|mount|swap))"
_PERCENT = r"([0-9.]+) ?%"

DAEMONS: tuple[Signature, ...] = (
    Signature(
        kind="systemd_oom",
        literals=("by the OOM killer", "by the Linux kernel out-of-mem"),
        gate=r"been killed by the (?:OOM|Linux kernel)|unit has been killed|by the OOM killer",
        pattern=rf"(?:{UNIT}: A process (?:of this unit )?|\bA process of (?:this unit|(?:unit )?"
        + UNIT.replace("unit>", "unit_2>")
        + r"(?: unit)?) )has been killed by the (?:OOM killer|Linux kernel out-of-mem)",
        proves=Proof.KILL,
        since="systemd 243",
        example="devbox systemd[1]: XXX.service: A process of this unit has been killed by the OOM killer.",
        source="containerd/containerd script/critest.sh",
    ),
    Signature(
        kind="systemd_oom",
        literals=("kernel OOM killer killed",),
        pattern=rf"(?:{UNIT}: )?The kernel OOM killer killed some processes in this unit",
        proves=Proof.KILL,
        since="systemd 253",
        example="user@1000.service: The kernel OOM killer killed some processes in this unit.",
        source="systemd src/core/unit.c",
    ),
    Signature(
        kind="systemd_oom",
        literals=("systemd-oomd killed",),
        pattern=rf"(?:{UNIT}: )?systemd-oomd killed (?:(?P<processes>[0-9]+)|some) process",
        proves=Proof.KILL,
        since="systemd 249",
        example="user@1000.service: systemd-oomd killed 12 process(es) in this unit.",
        source="systemd src/core/unit.c",
    ),
    Signature(
        kind="systemd_oom",
        literals=("oom-kill", "with result 'oom-kill"),
        gate=r"esult:? [^\n]{0,10}oom-kill|esult[=:] ?oom-kill",
        pattern=rf"(?:(?:{UNIT}: )?(?:Failed with|Unit entered failed state\.? .{{0,20}}?|Service) result:? "
        rf"|\(Result: |\bfailed with result |\b[Rr]esult=|\bstate with result )"
        r"(?:\\?['\"\x60]|\xe2\x80\x98)?(?P<result>oom-kill)(?:\\?['\"\x60]|\)|\xe2\x80\x99|\.?\s*$)",
        proves=Proof.KILL,
        since="systemd 236",
        example="web-1 systemd[546363]: run-p3963628-i54286731.scope: Failed with result 'oom-kill'.",
        source="a public syslog test, 2026",
    ),
    Signature(
        kind="systemd_oom",
        literals=("due to memory pressure",),
        gate=r"(?:Killed|Marked) [^ \t\r\n()]{0,600}/[^ \t\r\n()]{0,600} (?:for killing )?due to mem"
        r"|due to memory pressure for",
        pattern=r"\b(?:Killed|Marked) (?P<cgroup>[^\s()]{0,600}/[^\s()]{0,600}) (?:for killing )?due to memory pressure"
        r"(?: for (?P<pressure_scope>/[^\s]{0,600}))?"
        rf"(?: being {_PERCENT.replace('(', '(?P<pressure_pct>', 1)} > {_PERCENT.replace('(', '(?P<limit_pct>', 1)})?",
        proves=Proof.KILL,
        since="systemd 248",
        example="systemd-oomd[93234]: Killed"
        " /user.slice/user-1000.slice/user@1000.service/app.slice/app-slack.scope due to memory pressure"
        " for /user.slice/user-1000.slice/user@1000.service being 62.97% > 50.00% for > 20s with reclaim activity",
        source="systemd src/oom/oomd-manager.c",
    ),
    Signature(
        kind="systemd_oom",
        literals=("due to memory used", "due to swap used"),
        pattern=r"\b(?:Killed|Marked) (?P<cgroup>/[^\s]{0,600}) (?:for killing )?due to (?:memory|swap)"
        r" used (?:\([0-9]|[0-9.]+[A-Z])",
        proves=Proof.KILL,
        since="systemd 248",
        example="systemd-oomd[517]: Killed /user.slice/user-1000.slice/session-2.scope due to memory used "
        "(16529620992) / total (16698515456)"
        " and swap used (1932406784) / total (2147479552) being more than 90.00%",
        source="systemd src/oom/oomd-manager.c",
    ),
    Signature(
        kind="earlyoom",
        literals=("ending SIG", "skipping SIG"),
        gate=r"ending SIG(?:TERM|KILL)(?: signal)? to",
        pattern=r"[sS]ending (?P<signal>SIGTERM|SIGKILL)(?: signal)? to (?:process )?\"?(?:(?P<pid>[0-9]+)"
        r"|[^\s0-9A-Za-z]{1,4})(?:"
        r" uid (?P<uid>-?[0-9]+))?"
        r"(?: \"(?P<process>[^\n]{0,64}?)\"[:,]| \((?P<process_2>[^\n]{0,64}?)\))(?: oom_score "
        r"(?P<oom_score>-?[0-9]+))?(?: badness (?P<badness>-?[0-9]+))?"
        r"(?:, (?:oom_score_adj -?[0-9]+, )?VmRSS (?P<rss_mib>[0-9.]+) MiB)?",
        proves=Proof.KILL,
        since="earlyoom 1.0",
        example='earlyoom[1295]: sending SIGTERM to process 906175 uid 1000 "java": oom_score 1170, VmRSS'
        ' 43912 MiB, cmdline "..."',
        source="rfjakob/earlyoom#354",
    ),
    Signature(
        kind="earlyoom",
        literals=("ow memory!", "ow Memory!"),
        pattern=r"[lL]ow [mM]emory! (?:[aA]t or below (?P<signal>SIGTERM|SIGKILL|sigterm|sigkill) limits?|mem"
        r"(?:ory)?\b|Killing process (?P<pid>[0-9]+) (?P<process>[^\s]{1,63}[^\s.]))",
        proves=Proof.NOTHING,
        since="earlyoom 1.0",
        example="earlyoom[1295]: low memory! at or below SIGTERM limits: mem  1.66%, swap 10.00%",
        source="rfjakob/earlyoom#354",
    ),
    Signature(
        kind="earlyoom",
        literals=("with signal",),
        pattern=r"[Kk]illing process (?:'(?P<process>[^\n]{1,64}?)' with signal (?:9|15), pid: (?P<pid>[0-9]+)"
        r"|(?P<pid_2>[0-9]+) \"(?P<process_2>[^\n]{1,64}?)\" with signal (?:9|15)\b)(?:[,:]"
        r" badness:? (?P<badness>[0-9]+))?(?:, VmRSS:? (?P<rss_mib>[0-9.]+) MiB)?",
        proves=Proof.KILL,
        since="earlyoom 1.1",
        example="Killing process 'bash' with signal 15, pid: 5874, badness: 538, VmRSS: 3160 MiB",
        source="rfjakob/earlyoom, README",
    ),
    Signature(
        kind="earlyoom",
        literals=("earlyoom", "escalating to SIGKILL"),
        gate=r"earlyoom.{0,20}: (?:[Oo]ut of|[Kk]illing)|escalating to SIGKILL",
        pattern=r"\bescalating to (?P<signal>SIGKILL) after [0-9.]+ sec"
        r"|earlyoom.{0,20}?: (?:[Oo]ut of memory! |[Kk]illing"
        r" process:? (?P<pid>[0-9]+) (?:\((?P<process>[^\n]{1,64}?)\)|(?P<process_2>[^\s]{1,64})))",
        proves=Proof.KILL,
        since="earlyoom 0.8",
        example="earlyoom[1295]: escalating to SIGKILL after 0.5 seconds",
        source="rfjakob/earlyoom kill.c",
    ),
)
