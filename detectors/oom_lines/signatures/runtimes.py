"""Container runtimes: Docker, containerd, CRI-O with conmon."""

from detectors.oom_lines.signature import Proof, Signature

_OOM = r"(?:\b(?:[sS]tatus|[aA]ction)\\{0,3}[\"']|\b[aA]ction): ?\\{0,3}[\"']oom\\{0,3}[\"']"

_NAME = r"[^\n]{0,400}?\\{0,3}[\"']name\\{0,3}[\"']: ?\\{0,3}[\"'](?P<container_name>[^\"'\\]{1,128})\\{0,3}[\"']"
_WHICH = (
    r"[^\n]{0,40}?\\{0,3}[\"'](?:id|ID)\\{0,3}[\"']: ?\\{0,3}[\"'](?P<container_id>[0-9a-f]{6,64})\\{0,3}[\"']"
    rf"(?:{_NAME})?|{_NAME.replace('>', '_3>')}"
)

RUNTIMES: tuple[Signature, ...] = (
    Signature(
        kind="docker_oom_event",
        literals=("OOMKilled",),
        gate=r"OOMKilled(?:[\\\"']|&quot;|&#x?[0-9]{2};)*[:=] ?[tT]rue|State\.OOMKilled\}\}",
        pattern=r"(?:^|[$#] )docker inspect [^\n]{0,160}\.State\.OOMKilled\}\}[^\n]{0,160}?\btrue"
        r"(?:[ a-zA-Z=:]{0,12}(?P<exit_code>[0-9]{1,3}))?(?: $|\s{2,})"
        r"|(?P<no_event>`)?[\"']?OOMKilled[\\\"']*[:=] ?[tT]rue\b"
        r"(?P<no_event_2> (?:in|and|means|flag|when|is|tells?|if|or)\b"
        r"|, [a-z]+ [a-z])?(?:[^\n]{0,120}?\bExitCode[\\\"']*[:=] ?(?P<exit_code_2>[0-9]+))?",
        proves=Proof.REPORT,
        since="Docker 1.6",
        example='"OOMKilled": true,',
        source="moby/moby#15621",
        fixed={"oom_killed": True},
    ),
    Signature(
        kind="docker_oom_event",
        literals=("container oom",),
        gate=r"container oom(?: [0-9a-f]|$)",
        pattern=r"\bcontainer oom (?P<container_id>[0-9a-f]{12,64})\b(?:[^\n]{0,400}?\bname=(?P<container>[^\s,)]+))?",
        proves=Proof.KILL,
        since="Docker 1.10",
        example="2016-01-26T10:09:28.000000000-08:00 container oom 9192cb33411f (image=python:3, name=stress)",
        source="docker events",
    ),
    Signature(
        kind="docker_oom_event",
        literals=('"oom', "'oom"),
        gate=r"(?:tatus|ction).{0,14}: ?.{1,6}oom[\\\"'&]",
        pattern=rf"(?:[cC]ontainer|[\"'](?:from|id)\\{{0,3}}[\"']:)[^\n]{{0,120}}?{_OOM}(?:{_WHICH})?|"
        rf"{_OOM}(?:{_WHICH.replace('>', '_2>')}|,? $|[^\n]{{0,200}}?\b(?:[aA]ctor|time|container))",
        proves=Proof.KILL,
        since="Docker 1.10",
        example='{"status":"oom","id":"abc123","Type":"container","Action":"oom","Actor":{"ID":"abc123","Attributes":{"name":"workspace-app"}}}',
        source="docker events --format '{{json .}}'",
    ),
    Signature(
        kind="docker_oom_event",
        literals=(") oom", "Status=oom", "Action=oom", "Event{Type"),
        gate=r"\(from [^\n)]{1,200}\) oom|(?:Status|Action)=oom|vent\{Type: ?\\{0,3}\"oom",
        pattern=r"\b(?P<container_id>[0-9a-f]{12,64}): \(from [^\n)]{1,200}\) oom(?: $|\b[^a-z -])"
        r"|\b(?:Status|Action)=oom\b(?:[^\n]{0,60}?\bID=(?P<container_id_2>[0-9a-f]{12,64}))?"
        r"|containerd event: [^\n]{0,20}\bEvent\{Type: ?\\?\"oom\\?\"(?:, Id: ?\\?\""
        r"(?P<container_id_3>[0-9a-f]{12,64}))?",
        proves=Proof.KILL,
        since="Docker 1.6",
        example="2015-12-22T01:24:58.000000000Z 9192cb33411f: (from python:3) oom",
        source="docker events before 1.10, dockerd 1.11 --debug",
    ),
    Signature(
        kind="docker_oom_event",
        literals=("tasks/oom",),
        pattern=r"module=libcontainerd(?: namespace=(?P<namespace>[a-z0-9.-]+))? topic=(?P<topic>/tasks/oom)",
        proves=Proof.KILL,
        since="Docker 18.09",
        example="level=debug msg=event module=libcontainerd namespace=moby topic=/tasks/oom",
        source="moby/moby#38613",
    ),
    Signature(
        kind="docker_oom_event",
        literals=("killed due to memory usage",),
        pattern=r"OutOfMemoryError: Container killed due to memory usage",
        proves=Proof.REPORT,
        since="Amazon ECS agent 1.0",
        example="OutOfMemoryError: Container killed due to memory usage",
        source="Amazon ECS stopped task reasons",
    ),
    Signature(
        kind="containerd_oom",
        literals=("TaskOOM event",),
        pattern=r"TaskOOM event.{0,24}?(?:container_id|ContainerID)[\\\"]*[:=][\\\" ]*"
        r"(?P<container_id>[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127})",
        proves=Proof.KILL,
        since="containerd 1.3",
        example=r'level=info msg="TaskOOM event'
        r' container_id:\"9192cb33411ff69d015a3577db136757f5b145064a1703efea3d0e12e8a64987\""',
        source="a public report on AKS, 2025",
    ),
    Signature(
        kind="containerd_oom",
        literals=("tasks/oom",),
        gate=r"opic(?:=| - |\\{0,3}\": ?)\\{0,3}\"?/tasks/oom|/tasks/oom (?:\{|type=)",
        pattern=r"(?:\b(?:ns|namespace)=(?P<namespace>[a-z0-9._-]+) |(?P<namespace_2>[a-z0-9][a-z0-9._-]*) )?"
        r"(?:[tT]opic(?:=| - |\\{0,3}\": ?)\\{0,3}\"?(?P<topic>/tasks/oom)\b\\?\"?(?:"
        r" type=containerd\.events\.TaskOOM)?"
        r"|(?P<topic_2>/tasks/oom) (?:\{|type=containerd\.events\.TaskOOM))"
        r"(?:[^\n]{0,120}?\\{0,3}\"?container_id\\{0,3}\"?[:=] ?\\{0,3}\"?(?P<container_id>[a-zA-Z0-9_.-]{1,128}))?",
        proves=Proof.KILL,
        since="containerd 1.0",
        example='level=debug msg="event published" ns=moby topic=/tasks/oom type=containerd.events.TaskOOM',
        source="containerd/containerd#4547",
    ),
    Signature(
        kind="containerd_oom",
        literals=("OOM received", "OOM event received"),
        pattern=r"(?:conmon.{0,40}?|<n[a-z]{2,8}>: )\bOOM (?:event )?received\b",
        proves=Proof.KILL,
        since="conmon 2.0",
        example="conmon 8371caad8cc369f16c55 <ninfo>: OOM received",
        source="containers/conmon",
    ),
)
