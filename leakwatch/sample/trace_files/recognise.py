"""Which form a file has, told by its first lines and never by its name."""

import re

from leakwatch.errors import TraceError
from leakwatch.sample.trace_files.archive import TraceFile

OTHER_KINDS = {
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "a Parquet file",
    b"\x89PNG": "a picture",
    b"\x7fELF": "a program",
    b"SQLite format 3": "an SQLite database",
}
"""By their first bytes: files that are given by mistake, or that have to be unpacked first."""

ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""Control sequences of a terminal (ECMA-48 5.4): docker clears the screen before each refresh, even into a pipe."""

GRAFANA_HEADER = re.compile(r'"?Time"?\s*([,;\t])', re.IGNORECASE)

PSRECORD_CSV_HEADER = "elapsed_time,"

_DOCKER_STATS = re.compile(r'^\s*\{[^\n]*"MemUsage"\s*:', re.MULTILINE)
_MPROF = re.compile(r"(?:MEM|CHLD|FUNC|CMDLINE) ")
_OPENMETRICS = re.compile(r"#\s*(?:HELP|TYPE|UNIT|EOF)\b")
_PSRECORD = re.compile(r"#\s*Elapsed time\b")


def recognise(file: TraceFile) -> str:
    """The name of the form; "native" where it is no other one, so that its reader says what is missing.

    Raises:
        TraceError: a form that is known, and is none of ours.
    """
    kind = next((kind for magic, kind in OTHER_KINDS.items() if file.head.startswith(magic)), None)
    kind = "a tar archive" if file.head[257:262] == b"ustar" else kind
    if kind is not None:
        raise TraceError(file.source, f"this is {kind}, not a trace", "unpack it, or give a file of samples")
    text = ESCAPES.sub("", file.head[:65536].decode(errors="replace")).removeprefix("\ufeff").lstrip()
    first = text.partition("\n")[0].strip()
    if GRAFANA_HEADER.match(first) or first.lower().startswith("sep="):
        return "grafana"
    if any(cell.strip(' "') == "timestamp" for cell in first.lower().split(",")):
        return "native"
    if _DOCKER_STATS.search(text):
        return "docker-stats"
    if _PSRECORD.match(first) or first.startswith(PSRECORD_CSV_HEADER):
        return "psrecord"
    if _MPROF.match(first):
        return "mprof"
    from leakwatch.sample.trace_files.openmetrics import is_sample  # its patterns take a while to compile

    data = next((line for line in text.split("\n") if line.strip() and not line.startswith("#")), "")
    if _OPENMETRICS.match(first) or is_sample(data):
        return "openmetrics"
    return "prometheus" if first.startswith(("{", "[")) else "native"
