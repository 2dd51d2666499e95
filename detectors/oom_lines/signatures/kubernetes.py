"""What kubelet, its events, pod status and node-problem-detector say."""

from detectors.oom_lines.signature import Proof, Signature
from detectors.oom_lines.signatures.kills import KILL

_CONSUMPTION = (
    r"(?: Threshold quantity: (?P<threshold>[0-9.]+[A-Za-z]*), available: (?P<available>[0-9.]+[A-Za-z]*)\.)?"
    r"(?: Container (?P<container>[a-zA-Z0-9._-]+) was using (?P<usage>[0-9.]+[A-Za-z]*),?"
    r" (?:which exceeds its request of|request is) (?P<request>[0-9.]*[0-9][A-Za-z]*))?"
)
_STATUS = "OOMKilled"
_STATUS_GATE = (
    r"[:=\t >(][\\\"' ]{0,3}OOM ?Killed(?:$|[^\w`*'\n]|'[,})\]])|eason OOMKilled|WasOOMKilled|\bwas OOMKilled"
)

KUBERNETES: tuple[Signature, ...] = (
    Signature(
        kind="kubelet_oom_event",
        literals=("OOM encountered", "victim process"),
        gate=r"OOM encountered|victim process: ?[^ %{\n]",
        pattern=r"[A-Z][a-z]{2,11} OOM encountered, victim process: (?:(?P<process>[^\n]{1,64}?), pid: "
        r"(?P<pid_2>[0-9]+)"
        r"|(?P<process_2>[^\s\"'`,%{<\\]{1,64})(?:, pid: (?P<pid>[0-9]+))?)",
        proves=Proof.KILL,
        since="kubelet 1.16",
        example="Warning  SystemOOM  5m24s  kubelet  System OOM encountered, victim process:"
        " ld-musl-x86_64., pid: 11415",
        source="kubectl describe node, public notes",
    ),
    Signature(
        kind="kubelet_oom_event",
        literals=("System OOM encountered", "SystemOOM"),
        gate=r"System OOM enc",
        pattern=r"(?:\bSystemOOM\b.{0,120}?)?System OOM encountered(?:$|[^,\"'`a-z])",
        proves=Proof.KILL,
        since="kubelet 1.0",
        example="Warning  SystemOOM  System OOM encountered",
        source="kubernetes pkg/kubelet/oom",
    ),
    Signature(
        kind="kubelet_oom_event",
        literals=("OOMKilling",),
        gate=r"OOMKilling\b.{0,200}?(?:[Kk]ill|$)",
        pattern=rf"\b(?:[A-Z][A-Za-z]{{1,20}})?OOMKilling\b.{{0,200}}?{KILL}",
        proves=Proof.KILL,
        since="node-problem-detector 0.1",
        example="Warning  OOMKilling  7m59s  kernel-monitor  Memory cgroup out of memory: Killed process"
        " 100490 (stress)"
        " total-vm:256776kB, anon-rss:100584kB, file-rss:268kB, shmem-rss:0kB, UID:0 pgtables:236kB oom_score_adj:975",
        source="public notes on GKE",
    ),
    Signature(
        kind="kubelet_oom_event",
        literals=("OOMKilling",),
        gate=r"[Kk]ill(?:ed)? process.{0,300}OOMKilling",
        pattern=rf"{KILL}[^\n]{{0,200}}?\b[Rr]eason[\"']?: ?[\"']?(?:[A-Z][A-Za-z]{{1,20}})?OOMKilling\b",
        proves=Proof.KILL,
        since="node-problem-detector 0.1",
        example='"message":"Memory cgroup out of memory: Killed process 4481 (stress) total-vm:1kB, anon-rss:1kB,'
        ' file-rss:0kB",'
        '"reason":"OOMKilling"',
        source="kubernetes/node-problem-detector, an event in JSON",
    ),
    Signature(
        kind="kubelet_oom_event",
        literals=("sys oom event",),
        gate=r"sys oom event.{0,20}(?:[Pp]id|&\{[0-9])",
        pattern=r"Got sys oom event.{0,20}?(?:Pid: (?P<pid>[0-9]+) ProcessName: (?P<process>[^\n]{1,64}?) TimeOfDeath"
        r"|\"?[Pp]id\"?: ?(?P<pid_3>[0-9]+),? ?\"?[Pp]rocessName\"?: ?\"(?P<process_3>[^\"\n]{1,64})\""
        r"|&\{(?P<pid_2>[0-9]+) +(?P<process_2>[^\s]{1,15})[ }])",
        proves=Proof.KILL,
        since="kubelet 1.16",
        example='"Got sys oom event" event=&{Pid:4481 ProcessName:stress TimeOfDeath:2021-03-01 10:00:00'
        " ContainerName:/",
        source="kubernetes pkg/kubelet/oom",
    ),
    Signature(
        kind="kubelet_oom_event",
        literals=("Created an OOM event",),
        pattern=r"Created an OOM event in container (?:\\?\"(?P<memcg>/[^\"\\]{0,600})|$)"
        r"|Created an OOM event in contai?n?e?$",
        proves=Proof.KILL,
        since="cAdvisor 0.7",
        example='manager.go:1126] Created an OOM event in container "/kubepods/burstable/pod1/2" at'
        " 2017-10-10 17:41:57 +0000 UTC",
        source="kubernetes/kubernetes#53669",
    ),
    Signature(
        kind="k8s_status_oomkilled",
        literals=(_STATUS,),
        gate=_STATUS_GATE,
        pattern=r"^(?:[^ \t]+[ \t]+)??(?P<pod>[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?)[ \t]+[0-9]+/[0-9]+["
        r" \t]+(?:Init:)?OOMKilled"
        r"(?:[ \t]+(?P<restart_count>[0-9]+))?",
        proves=Proof.REPORT,
        since="Kubernetes 1.2",
        example="memory-demo-2   0/1       OOMKilled   1          37s",
        source="kubernetes documentation, Assign Memory Resources",
        fixed={"reason": _STATUS},
    ),
    Signature(
        kind="k8s_status_oomkilled",
        literals=(_STATUS, "OOM Killed"),
        gate=_STATUS_GATE,
        pattern=r"(?:(?:^|[^a-zA-Z_])reason[\"']?: [\"']?|\bReason: ?|reason[\\\"]*:[\\\"]+|\breason=(?:\\\"|')?|"
        r"(?:^|[( ,])terminated: )OOM Killed"
        r"(?:[\"\']?\s*$|[^a-zA-Z\"'`|]|\\?\"[^)|`]|'[,})\]])"
        r"(?:[^\n]{0,40}?\b[Ee]xit ?[Cc]ode[\"']?[:=]? (?P<exit_code>[0-9]+))?",
        proves=Proof.REPORT,
        since="Kubernetes 1.2",
        example="      Reason:       OOMKilled",
        source="kubernetes/kubernetes#98157",
        fixed={"reason": _STATUS},
    ),
    Signature(
        kind="k8s_status_oomkilled",
        literals=(_STATUS,),
        gate=_STATUS_GATE,
        pattern=r"(?P<no_event_2>^#{1,6} [^\n]{0,80})?(?:^|[^\w`\"'*])OOMKilled[^\w\n]{1,5}"
        r"[Ee]xit ?[Cc]ode:? (?P<exit_code>[0-9]+)"
        r"(?P<no_event>\)? (?:and|means|is|when|if|or)\b)?",
        proves=Proof.REPORT,
        since="Kubernetes 1.2",
        example="main: OOMKilled (exit code 137)",
        source="argoproj/argo-workflows, node messages",
        fixed={"reason": _STATUS},
    ),
    Signature(
        kind="k8s_status_oomkilled",
        literals=("OOMKilled",),
        gate=_STATUS_GATE,
        pattern=r"^[^ \t]{0,3}[ \t]*(?P<pod>[a-z0-9]+(?:[-.][a-z0-9]+)+)(?:[ \t]+[^ \t\n|]{1,60}){0,4}?(?:[ \t]{2,}"
        r"|\t)(?:Init:)?OOMKilled"
        r"(?:$|\t|[ \t]{2,}(?:(?P<restart_count>[0-9]+)[ \t(])?)",
        whole=True,
        proves=Proof.REPORT,
        since="Kubernetes 1.2",
        example="web-7d9f8c6b5-x2x4z   main   OOMKilled   137",
        source="kubectl get pods -o custom-columns, k9s",
        fixed={"reason": _STATUS},
    ),
    Signature(
        kind="k8s_status_oomkilled",
        literals=("OOMKilled",),
        gate=_STATUS_GATE,
        pattern=r"\b(?:[Cc]ontainer [\"'\x60]?(?P<container>[a-z0-9][a-z0-9_.-]{0,62})[\"'\x60]? (?:\([^\n)]{1,120}\)"
        r" |in pod [^ \n]{1,120} )?"
        r"was OOMKilled\b|(?:terminated|failed|exited|killed|died|stopped)[^\n\"]{0,60}? with reason [\"']?OOMKilled\b"
        r"|State: Terminated \(OOMKilled\))",
        proves=Proof.REPORT,
        since="Kubernetes 1.2",
        example="Warning  PreviousContainerWasOOMKilled  pod/web  The previous instance of the container 'web' "
        "(docker://12)"
        " was OOMKilled",
        source="xing/kubernetes-oom-event-generator",
        fixed={"reason": _STATUS},
    ),
    Signature(
        kind="k8s_evicted",
        literals=("low on resource", "low on resource: memory", "low on compute resources"),
        gate=r"low on resource: ?\[?[Mm]em|was low on(?: (?:resource|compute):?)?$|low on compute",
        pattern=r"node was low on (?:compute resources|resource: \[?(?:MemoryPressure"
        r"|memory(?:\.available)?)\]?)(?:\b|$)" + f"[.]?{_CONSUMPTION}",
        proves=Proof.NOTHING,
        since="kubelet 1.5",
        example="The node was low on resource: memory. Container citadel was using 43536Ki, which exceeds"
        " its request of 0.",
        source="kubernetes/kubernetes#112927",
        fixed={"resource": "memory"},
    ),
    Signature(
        kind="k8s_evicted",
        literals=("larger consumption of memory", "consumption of memory"),
        gate=r"consumption of mem|was using [0-9.]+[KMG]i?,? request",
        pattern=r"(?:Container (?P<container>[a-zA-Z0-9._-]+) )?was using (?P<usage>[0-9.]+[A-Za-z]*),"
        r" request is (?P<request>[0-9.]*[0-9][A-Za-z]*),"
        r" has larger consumption of memory",
        proves=Proof.NOTHING,
        since="kubelet 1.27",
        example="Container p1 was using 788244Ki, request is 128M, has larger consumption of memory.",
        source="a public eviction lab",
        fixed={"resource": "memory"},
    ),
    Signature(
        kind="k8s_evicted",
        literals=("MemoryPressure",),
        gate=r"node has conditions: ?\[",
        pattern=r"Failed to admit pod \"?(?P<pod>[a-z0-9./_-]+?)(?:\((?P<pod_uid>[0-9a-f-]{32,36})\)\"?)? -"
        r" node has conditions: \[[A-Za-z ]*MemoryPressure",
        proves=Proof.NOTHING,
        since="kubelet 1.4",
        example="Failed to admit pod kube-proxy-bbrr6_kube-system(860629c4-fd5e-11e7-880c-6c626d3ed96f) -"
        " node has conditions: [MemoryPressure]",
        source="kubernetes/kubernetes#58541",
        fixed={"resource": "memory"},
    ),
    Signature(
        kind="k8s_evicted",
        literals=("MemoryPressure", "had condition: [MemoryPressure"),
        gate=r"ode had conditions?: ?\[",
        pattern=r"[Nn]ode had conditions?: \[[A-Za-z ]*MemoryPressure",
        proves=Proof.NOTHING,
        since="kubelet 1.14",
        example="Pod The node had condition: [MemoryPressure].",
        source="kubernetes pkg/kubelet/eviction",
        fixed={"resource": "memory"},
    ),
    Signature(
        kind="k8s_evicted",
        literals=("to reclaim", "ttempting to reclaim"),
        gate=r"to reclaim(?:\" .{0,40}?resourceName=\"?| )memory",
        pattern=r"(?:(?:[Ee]viction.{0,40}?|Warning +EvictionThresh.{0,160}?|essage[\"']?: [\"']?A|(?:^|[ \t]{2}"
        r"|[\"'])A)ttempting to reclaim"
        r"|evict pod\(s\) to reclaim|evict pods to reclaim)(?:\" .{0,40}?resourceName=\"?| )memory\b",
        proves=Proof.NOTHING,
        since="kubelet 1.4",
        example="eviction manager: attempting to reclaim memory",
        source="kubernetes/kubernetes#58541",
        fixed={"resource": "memory"},
    ),
)
