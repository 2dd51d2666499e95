"""The kernel's lines around a kill: mm/oom_kill.c, mm/memcontrol.c and mm/page_alloc.c, from 2.6 to 6.x."""

from detectors.oom_lines.signature import Proof, Signature
from detectors.oom_lines.signatures.kills import KILLS, NAME

_OOM_KILL_C = "kernel mm/oom_kill.c"
# Before the next part of a summary: a comma, or, where someone shortened it by hand, a blank or an ellipsis.
_NEXT = r"(?:,|\s|\.\.\.|\xe2\x80\xa6)(?: (?:\.\.\.|\xe2\x80\xa6),?)? "

KERNEL: tuple[Signature, ...] = (
    *KILLS,
    Signature(
        kind="kernel_oom_invoked",
        literals=("invoked oom", "oom-killer", "oom-killer: gfp_mask=", "gfp_mask="),
        gate=r"oom-killer: ?g|gfp_mask=0x|invoked oom-?$",
        pattern=r"(?P<comm>[^\n]{1,64}?) invoked oom-killer: gfp_(?:mask|flags) [=:] (?P<gfp_mask>0x[0-9a-fA-F]+)"
        r"(?: \((?P<gfp_flags>[A-Z0-9_|x]+)\)?)?(?:, nodemask= (?P<nodemask>\(null\)|[0-9,-]*[0-9]))?"
        r"(?:, order= (?P<order>-?[0-9]+))?(?:, (?:oom_adj|oomkilladj)= (?P<oom_adj>-?[0-9]+))?(?:,"
        r" oom_score_adj= (?P<oom_score_adj>-?[0-9]+))?",
        proves=Proof.KILL,
        since="2.6.18",
        example="[64377.426677] apt-check invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=0",
        source="linux-kernel mailing list, 2009",
        whole=True,
    ),
    Signature(
        kind="kernel_oom_invoked",
        literals=("invoked oom", "oom-killer"),
        gate=r"oom-killer: ?g|oom-killer:?$",
        pattern=r"(?P<comm>[^\n]{1,64}?) invoked oom-killer:(?: g[a-z_]*(?:= ?(?:0x?)?)?)? $",
        proves=Proof.KILL,
        since="2.6.18",
        example="[Wed Dec  6 23:54:11 2017] java invoked oom-killer: gfp_ma",
        source="the same line cut short, as by a terminal's width",
        cut=True,
        whole=True,
    ),
    Signature(
        kind="kernel_oom_invoked",
        literals=("invoked oom-killer",),
        gate=r"oom-killer[.]*[ \t\r]*$",
        pattern=r"(?:kernel: |\] )(?P<comm>[^\n\]]{1,15}?) invoked oom-killer[.]* $",
        proves=Proof.KILL,
        since="2.6.18",
        example="[ 2786.885738] mem_on_node0 invoked oom-killer",
        source="the same line cut short by hand, linux-mm 2023",
        cut=True,
    ),
    Signature(
        kind="kernel_oom_invoked",
        literals=("oom-killer",),
        gate=r"oom-killer: ?g",
        pattern=r"(?:\b(?P<process>[^\s\"'`:\]]{1,15}) (?:invoked|triggered) )?oom-killer: gfp_mask [=:] "
        r"(?P<gfp_mask>0x[0-9a-fA-F]+)(?: \((?P<gfp_flags>[A-Z0-9_|x]+)\)?)?"
        r"(?:, nodemask= (?P<nodemask>\(null\)|[0-9,-]*[0-9]))?(?:, order= (?P<order>-?[0-9]+))?(?:,"
        r" oom_score_adj= (?P<oom_score_adj>-?[0-9]+))?",
        proves=Proof.KILL,
        since="2.6.9",
        example="oom-killer: gfp_mask=0xd0",
        source="kernel 2.6.9, and later lines behind a prefix that is not known",
    ),
    Signature(
        kind="kernel_oom_summary",
        literals=("oom-kill:", "constraint=CONSTR", "task_memcg=", "oom_memcg="),
        gate=r"oom-kill: ?c|constraint=CONSTR|_memcg=/(?:[a-zA-Z0-9_.@,/-]|$)",
        pattern=r"(?:oom-kill: )?constraint= (?P<constraint>CONSTRAINT_[A-Z_]+)(?P<no_event>[`*])?"
        rf"(?:{_NEXT}nodemask= (?P<nodemask>\(null\)|[0-9,-]*[0-9]))?"
        rf"(?:{_NEXT}cpuset= (?P<cpuset>[^,\s]+))?(?:{_NEXT}mems_allowed= (?P<mems_allowed>[0-9,-]*[0-9]))?"
        rf"(?:{_NEXT}(?P<global_oom>global_oom))?"
        rf"(?:{_NEXT}oom_memcg= (?P<oom_memcg>[^,\s]+))?(?:{_NEXT}task_memcg= (?P<task_memcg>[^,\s]+))?"
        rf"(?:{_NEXT}task= (?:(?P<process>[^\n]{{1,64}}?){_NEXT}pid= (?P<pid>[0-9]+)(?:{_NEXT}uid= (?P<uid>[0-9]+))?|"
        r"(?P<process_2>[^\s,'\"`]{1,15})))?",
        proves=Proof.KILL,
        since="4.19",
        example="oom-kill:constraint=CONSTRAINT_MEMCG,nodemask="
        "(null),cpuset=/,mems_allowed=0,oom_memcg=/leakwatch-test,"
        "task_memcg=/leakwatch-test,task=python,pid=8283,uid=0",
        source="a kill provoked for leakwatch on kernel 6.18",
    ),
    Signature(
        kind="kernel_oom_summary",
        literals=("task_memcg=", ",task="),
        gate=r"task_memcg=/(?:[a-zA-Z0-9_.@,/-]|$)",
        pattern=r"(?:, oom_memcg= (?P<oom_memcg>[^,\s]+))?, task_memcg= (?P<task_memcg>[^,\s]+), task= "
        r"(?P<process>[^\n]{1,64}?), pid= (?P<pid>[0-9]+)(?:, uid= (?P<uid>[0-9]+))?",
        proves=Proof.KILL,
        since="4.19",
        example=",mems_allowed=0,global_oom,task_memcg=/user.slice,task=rustc,pid=2829,uid=1000",
        source="the same line, its beginning cut off",
    ),
    Signature(
        kind="kernel_oom_reaper",
        literals=("oom_reaper", "now anon-rss"),
        gate=r"oom_reaper: reaped p|now anon-rss:?[0-9]",
        pattern=rf"oom_reaper: reaped process :? (?P<pid>[0-9]+) {NAME}(?:,?(?: now)? anon-rss: "
        rf"(?P<anon_rss_kb>[0-9]+) l?kB)?"
        r"(?:, file-rss: (?P<file_rss_kb>[0-9]+) l?kB)?(?:, shmem-rss: (?P<shmem_rss_kb>[0-9]+) l?kB)?",
        proves=Proof.KILL,
        since="4.6",
        example="[Thu Apr  2 15:52:54 2020] oom_reaper: reaped process 2829 (rustc), now anon-rss:0kB,"
        " file-rss:0kB, shmem-rss:0kB",
        source="rustc report, 2020",
    ),
    Signature(
        kind="kernel_oom_reaper",
        literals=("oom_reaper",),
        gate=r"oom_reaper: unable to reap",
        pattern=rf"oom_reaper: unable to reap pid: (?P<pid>[0-9]+) {NAME}",
        proves=Proof.KILL,
        since="4.6",
        example="oom_reaper: unable to reap pid:2829 (rustc)",
        source=_OOM_KILL_C,
    ),
    Signature(
        kind="kernel_memcg_stats",
        literals=("emory: usage", ", failcnt"),
        gate=r"(?:^|[^+a-z\n])memory: ?(?:usage|$)",
        pattern=r"(?:^|[^+a-z])memory: usage (?P<usage_kb>[0-9]+) kB,? limit (?P<limit_kb>[0-9]+) kB(?:,?"
        r" failcnt (?P<failcnt>[0-9]+))?",
        proves=Proof.KILL,
        since="2.6.30",
        example="[Thu Dec  7 00:20:58 2017] memory: usage 524092kB, limit 524288kB, failcnt 164324",
        source="kubernetes/kubernetes#56891",
    ),
    Signature(
        kind="kernel_memcg_stats",
        literals=("killed as a result", "result of limit"),
        gate=r"killed as a result of|result of limit of|Task in /",
        pattern=r"Task in (?P<task_memcg>/[^\s\[]*)? killed as a result of limit of(?: (?P<oom_memcg>/"
        r"(?:[^\s\[]*[^\s\[/])?)(?:[\s\[]|$))?",
        proves=Proof.KILL,
        since="2.6.30",
        example="Task in /docker/0f2b killed as a result of limit of /docker/0f2b",
        source="kernel mm/memcontrol.c",
    ),
    Signature(
        kind="",
        literals=("cgroup stats for",),
        gate=r"cgroup stats for /",
        pattern=r"Memory cgroup stats(?: for (?P<memcg>/[^\s:]*(?::[^\s:]+)*))?:",
        proves=Proof.KILL,
        since="3.10",
        example="Memory cgroup stats for /leakwatch-test:",
        source="kernel mm/memcontrol.c",
    ),
    Signature(
        kind="",
        literals=("tgid total_vm",),
        gate=r"tgid total_vm",
        pattern=r"\[ pid \] +uid tgid (?P<columns>total_vm[a-z_ ]*name)",
        proves=Proof.KILL,
        since="2.6.18",
        example="[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        source=_OOM_KILL_C,
    ),
    Signature(
        kind="kernel_page_alloc_failure",
        literals=("page allocation failure", "allocation failure"),
        gate=r"page allocation fail|allocation failure[:.,] ?order",
        pattern=r"(?:(?P<comm>[^\n]{1,64}?): )?page allocation failure[:.,] order: (?P<order>[0-9]+)"
        r"(?:, mode: (?P<mode>0x[0-9a-fA-F]+)(?:\((?P<gfp_flags>[A-Z0-9_|x]+)\))?(?:, nodemask= "
        r"(?P<nodemask>\(null\)|[0-9,-]*[0-9]))?)?",
        proves=Proof.FAILURE,
        since="2.6.0",
        example="[ 3026.106360] rsyslogd: page allocation failure: order:0, mode:0x484020(GFP_ATOMIC"
        "|__GFP_COMP), nodemask=(null)",
        source="google/syzkaller report testdata",
        whole=True,
    ),
    Signature(
        kind="kernel_page_alloc_failure",
        literals=("page allocation failure",),
        gate=r"page allocation fail",
        pattern=r"(?:\b(?P<process>[^\s\"'`:\]]{1,15}): )?page allocation failure[:.,] order: (?P<order>[0-9]+),"
        r" mode: (?P<mode>0x[0-9a-fA-F]+)",
        proves=Proof.FAILURE,
        since="2.6.0",
        example="swapper/0: page allocation failure: order:1, mode:0xcc1(GFP_KERNEL|GFP_DMA), nodemask=(null)",
        source="linux-mm mailing list, 2022; here behind a prefix that is not known",
    ),
)
