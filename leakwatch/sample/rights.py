"""What this process may do where it runs: user, capabilities, cgroups, kernel log, engine, cluster."""

import importlib.util
import os
import socket

from leakwatch.examination import Check
from leakwatch.sample.cgroups.find import hierarchies
from leakwatch.sample.kernel_folder import KernelFolder
from leakwatch.settings import ServingKind, ServingSettings

SYS_PTRACE, KILL, SYSLOG = 19, 5, 34
"""Numbers of capabilities (include/uapi/linux/capability.h)."""

LEAST_FREE_MIB = 256
"""History and ledger take some ten MiB, five bundles of evidence up to 320 MiB at their default size."""

_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"
_CONNECT_SECONDS = 2.0
_DOCKER_SOCKET = "/var/run/docker.sock"


def rights_here() -> tuple[Check, ...]:
    """One check for each; those of Docker and Kubernetes only where there is something of them."""
    checks = [_user(), _cgroups(), _kernel_log(), _processes()]
    if os.path.exists(_DOCKER_SOCKET) or os.environ.get("DOCKER_HOST"):
        checks.append(_docker())
    if os.path.exists(_SERVICE_ACCOUNT):
        checks.append(Check("cluster", None, "a service account of Kubernetes is mounted"))
    return tuple(checks)


def folder_can_be_written(path: str) -> Check:
    """The folder for history, ledger and evidence; it is made if its parent allows it."""
    existing = os.path.abspath(path)
    while not os.path.exists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing) or not os.access(existing, os.W_OK | os.X_OK):
        fix = "mount a volume there that outlives the container, and own it (securityContext.fsGroup)"
        return Check("state", False, f"{path} may not be written", fix)
    status = os.statvfs(existing)
    free_mib = status.f_bavail * status.f_frsize // 2**20
    if free_mib < LEAST_FREE_MIB:
        return Check("state", False, f"{path} has {free_mib} MiB left", "give its volume more room")
    return Check("state", True, f"{path} can be written, with {free_mib} MiB left")


def log_can_be_read(path: str) -> Check:
    """A log that the settings name; ``kmsg`` is the kernel's."""
    if path == "kmsg":
        return _kernel_log()
    if not os.path.exists(path):
        return Check("log", False, f"{path} is not there", "mount its volume into this container, or wait for it")
    if not os.access(path, os.R_OK):
        return Check("log", False, f"{path} may not be read", "run as its user or group (securityContext.runAsUser)")
    return Check("log", True, f"{path} can be read")


def process_can_be_seen(pid: int) -> tuple[Check, ...]:
    """What the evidence and the remedies need of a process: its maps and environment, its shares, signals."""
    ptrace = "securityContext: {runAsUser: the server's}, or capabilities: {add: [SYS_PTRACE]}"
    checks = []
    for what, file in (("mappings", "smaps_rollup"), ("environment", "environ")):
        try:
            folder = KernelFolder(f"/proc/{pid}")
            try:
                folder.text(file, 16384)
            finally:
                folder.close()
            checks.append(Check(what, True, f"/proc/{pid}/{file} can be read"))
        except OSError as error:
            checks.append(Check(what, False, f"/proc/{pid}/{file}: {error.strerror}", ptrace))
    try:
        os.kill(pid, 0)
        checks.append(Check("signals", True, f"process {pid} may be ended, where acting is switched on"))
    except OSError as error:
        fix = "securityContext: {runAsUser: the server's}, or capabilities: {add: [KILL]}"
        checks.append(Check("signals", False, f"process {pid}: {error.strerror}", fix))
    return tuple(checks)


def model_can_be_reloaded(serving: ServingSettings) -> tuple[Check, ...]:
    """What a model reload needs, where the settings name a model config: by gRPC, or by an edit of the file."""
    file, address = serving.model_config_file, serving.grpc_address
    if serving.kind is not ServingKind.TF_SERVING or file is None:
        return ()
    what = "model reload"
    if not os.path.isfile(file) or not os.access(file, os.R_OK):
        return (
            Check(what, False, f"{file} cannot be read", "mount the model config that the server was started with"),
        )
    if address is None:
        if os.path.islink(file) or not os.access(os.path.dirname(os.path.abspath(file)), os.W_OK):
            fix = "mount its folder writable (no ConfigMap), or set serving.grpc_address"
            return (Check(what, False, f"{file} cannot be replaced", fix),)
        return (Check(what, True, f"{file} can be edited, where the server polls it"),)
    if importlib.util.find_spec("grpc") is None:
        return (Check(what, False, "the package grpcio is not installed", "install leakwatch-agent[grpc]"),)
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except OSError as error:
        fix = "see serving.grpc_address, and --port of the server"
        return (Check(what, False, f"{address}: {error.strerror or 'no answer'}", fix),)
    return (Check(what, True, f"by gRPC at {address}"),)


def _user() -> Check:
    bits = _capabilities()
    named = {"SYS_PTRACE": SYS_PTRACE, "KILL": KILL, "SYSLOG": SYSLOG}
    held = [name for name, number in named.items() if bits >> number & 1]
    user = "root" if os.geteuid() == 0 else f"user {os.geteuid()}"
    return Check("user", None, f"{user}, with {', '.join(held) or 'none of ' + ', '.join(named)}")


def _capabilities() -> int:
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            lines = [line.split() for line in file if line.startswith("CapEff:")]
        return int(lines[0][1], 16)
    except (OSError, LookupError, ValueError):
        return 0


def _cgroups() -> Check:
    try:
        found = hierarchies()
    except OSError as error:
        return Check("cgroups", False, f"/proc/self/mountinfo: {error.strerror}", "mount /proc")
    if not found:
        return Check("cgroups", False, "no cgroup hierarchy is mounted", "mount /sys/fs/cgroup read-only")
    first = found[0]
    version = "v1, which knows no memory pressure" if first.version == 1 else "v2"
    whole = "" if first.root == "/" else ", of this container alone"
    return Check("cgroups", True, f"{version}, at {first.mount}{whole}")


def _kernel_log() -> Check:
    try:
        os.close(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        fix = "mount the host's /dev/kmsg and give SYSLOG; without it kills are known from counters and pod states"
        return Check("kernel log", False, f"/dev/kmsg: {error.strerror}", fix)
    return Check("kernel log", True, "/dev/kmsg can be read")


def _processes() -> Check:
    """Whether others' processes can be seen: in a pod only with a shared process namespace."""
    numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    try:
        with open("/proc/1/comm", encoding="utf-8", errors="replace") as file:
            first = file.read().strip()
    except OSError:
        first = "unknown"
    detail = f"{len(numbers)} processes can be seen, the first is {first}"
    if first == "pause":
        return Check("processes", True, f"{detail}: the pod shares its process namespace")
    if len(numbers) < 10 and os.path.exists(_SERVICE_ACCOUNT):
        return Check("processes", False, detail, "shareProcessNamespace: true in the pod's spec")
    return Check("processes", None, detail)


def _docker() -> Check:
    import docker
    import requests

    from leakwatch.sample.docker_engine import connect, failure_of

    try:
        with connect() as client:
            return Check("docker", True, f"the engine answers (API {client.api_version})")
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        what, _, fix = str(failure_of(error)).removeprefix("docker: ").partition("; ")
        return Check("docker", False, what, fix)
