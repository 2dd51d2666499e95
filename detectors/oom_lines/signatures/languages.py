"""Language runtimes that report their own exhaustion: CPython with NumPy and Arrow, the JVM, Go."""

from detectors.oom_lines.signature import Proof, Signature
from detectors.oom_lines.signatures.allocators import ENOMEM

_ARRAY = (
    r"(?:an )?array with shape (?:(?P<tensor_shape>\([0-9, ]*\))|\([0-9A-Za-z, ]*\))"
    r"(?: and data type (?P<dtype>[^\s\"'\\`,]*[^\s\"'\\`,.]))?"
)
_MEMORY_ERROR_GATE = (
    r"MemoryError at |\\n(?:[a-zA-Z_.]{0,60}\.)?MemoryError\b|MemoryError(?:\(\)){0,2}\)?:?[ \t\r]*$"
    r"|MemoryError: ?(?:\(\(|[A-Za-z][a-z:_]+ [^\n]{0,60}?(?:alloc|emory)|bad_alloc|std::bad)"
)
_JVM_KIND = (
    r"(?P<jvm_kind>Java heap space|GC overhead limit exceeded|Metaspace|PermGen space|Direct buffer memory"
    r"|Compressed class space"
    r"|[Uu]nable to create (?:new )?native thread[^\n\"'\]\\]{0,80}|Requested array size exceeds VM limit|Map"
    r" failed|Out of swap space\?"
    r"|Cannot reserve (?P<requested_bytes>[0-9]+) bytes of direct buffer memory[^\n\"'\]\\]{0,80}|[Rr]equest"
    r" [0-9]+ bytes for [^\n\"'\]\\]{1,80}"
    r"|Java heap|Required array (?:size|length) too large|UTF16 String size is [0-9]+[^\n\"'\]\\]{0,60}"
    r"|Overflow: String length out of range|Failed to allocate an? (?P<requested_bytes_2>[0-9]+) byte allocation)"
)

LANGUAGES: tuple[Signature, ...] = (
    Signature(
        kind="python_memory_error",
        literals=("Unable to allocate",),
        gate=r"Unable to allocate (?:[0-9a]|$)|array with shape \([0-9, ]+\) and data",
        pattern=r"(?:\b(?P<exception>_?(?:Array)?MemoryError): )?Unable to allocate (?:"
        r"(?P<requested>[0-9][0-9.\\]* ?(?:[KMGTPE]iB|bytes)) for )?" + _ARRAY,
        proves=Proof.FAILURE,
        since="NumPy 1.17",
        example="numpy.core._exceptions._ArrayMemoryError: Unable to allocate 94.9 MiB for an array with"
        " shape (2160, 3840, 3) and data type float32",
        source="xaviviro/refacer#75",
        fixed={"exception": "MemoryError"},
    ),
    Signature(
        kind="python_memory_error",
        literals=("MemoryError",),
        gate=_MEMORY_ERROR_GATE,
        pattern=r"(?:^|[.: |\"'(])(?P<exception>_?(?:Array)?MemoryError): ?(?:\((?P<tensor_shape>\([0-9,"
        r" ]+\)), dtype\('(?P<dtype>[^']{1,40})'\)\)"
        r"|(?:Unable to|[Cc]ould not|[Cc]annot|[Cc]an't|[Ff]ailed to|[Nn]ot enough|[Ii]nsufficient|[Oo]ut of)"
        r" [^\n\"]{0,40}?(?:alloc|memory|Memory)"
        r"|bad allocation|std::bad_alloc|Allocation failed|alloc[a-z]* fail)",
        proves=Proof.FAILURE,
        since="CPython",
        example="MemoryError: ((14000, 10000), dtype('float64'))",
        source="NumPy 1.16 core/_exceptions.py",
    ),
    Signature(
        kind="python_memory_error",
        literals=("MemoryError",),
        gate=_MEMORY_ERROR_GATE,
        pattern=r"(?:[a-zA-Z_]\w*\.)*(?P<exception>MemoryError)(?:\(\))?:? $",
        proves=Proof.FAILURE,
        since="CPython",
        example="MemoryError",
        source="NRauschmayr/Anomaly_Detection#2",
        whole=True,
    ),
    Signature(
        kind="python_memory_error",
        literals=("MemoryError",),
        gate=_MEMORY_ERROR_GATE,
        pattern=r"(?:[Rr]aised unexpected|[Ee]xception|ERROR|[Ee]rror|failed with"
        r"|unhandled)(?:[^\n\"'`]{0,60}?(?P<no_event>\braise)?[: ]|\b[^\n]{0,60}?[\"'], )"
        r"(?P<exception>MemoryError)(?:\(\))?\)?(?: $| at )",
        proves=Proof.FAILURE,
        since="CPython",
        example="[ERROR/ForkPoolWorker-2] Task app.predict raised unexpected: MemoryError()",
        source="celery/celery, worker log form",
    ),
    Signature(
        kind="python_memory_error",
        literals=("[Errno 12]", "[WinError ", "ArrowMemoryError", "Fatal Python error"),
        pattern=r"(?:^|[^\"'`=(]) ?(?:\[Errno (?P<errno>12)\] (?:Not enough space|" + ENOMEM + r")"
        r"|\[WinError (?:8|1455)\] )"
        r"|(?P<exception>ArrowMemoryError): (?:malloc|realloc|posix_memalign|mmap)[^\n]{0,20}? of size "
        r"(?P<requested_bytes>[0-9]+) failed|\bFatal Python error: (?:[^\n\"]{0,60}?[oO]ut of memory"
        r"|Cannot recover from MemoryErrors)",
        gate=r"\[Errno 12\]|\[WinError (?:8|1455)\]|ArrowMemoryError|Fatal Python error: .{0,60}emory",
        proves=Proof.FAILURE,
        since="CPython",
        example="OSError: [Errno 12] Cannot allocate memory",
        source="CPython, errno ENOMEM",
    ),
    Signature(
        kind="jvm_oom",
        literals=("OutOfMemoryError",),
        gate=r"OutOfMemoryError(?:: ?[\\\"]*[A-Za-z0-9]|:? ?=?[ \t\r]*$| thrown|[,;]? at | \(no err|:? [\\\"]*[A-Z])",
        pattern=rf"(?P<no_event>\b[Aa]n? )?\bOutOfMemoryError:? (?:\"|\\\")?(?:{_JVM_KIND})",
        proves=Proof.FAILURE,
        since="Java 1.4",
        example='Exception in thread "main" java.lang.OutOfMemoryError: GC overhead limit exceeded',
        source="a public collector's comment",
    ),
    Signature(
        kind="jvm_oom",
        literals=("OutOfMemoryError",),
        gate=r"OutOfMemoryError(?:: ?[\\\"]*[A-Za-z0-9]|:? ?=?[ \t\r]*$| thrown|[,;]? at | \(no err|:? [\\\"]*[A-Z])",
        pattern=r"(?P<no_event>(?:catch|throws?|new|instanceof|@link|@throws|@exception|import|extends|[Ii]f"
        r"|[Ww]hen|expects?|[Aa]n?|the)[ (]{1,3}(?:final )?)?"
        r"(?:^|[^\w.]|_)java\.lang\.OutOfMemoryError(?:: (?P<jvm_kind>[A-Za-z0-9][^\n\"'\]\\<;]{2,100})|\s*$|"
        r" thrown from|[,;]? at [a-z]| \(no error message\))",
        proves=Proof.FAILURE,
        since="Java 1.2",
        example="Caused by: java.lang.OutOfMemoryError: Unable to acquire 65536 bytes of memory, got 0",
        source="apache/spark TaskMemoryManager",
    ),
    Signature(
        kind="jvm_oom",
        literals=(
            "java/lang/OutOfMemoryError",
            "Out of Memory Error",
            "Java heap space",
            "Could not allocate",
            "Could not reserve enough",
            "OutOfDirectMemoryError",
            "SparkOutOfMemoryError",
        ),
        pattern=r"(?:Could not allocate (?:metaspace|compressed class space): (?P<requested_bytes>[0-9]+)"
        r" bytes|Could not reserve enough space for|\bdetail \"java/lang/OutOfMemoryError\"|# +Out of Memory"
        r" Error \(|OutOfDirectMemoryError: failed to allocate (?P<requested_bytes_2>[0-9]+) byte"
        r"|SparkOutOfMemoryError: (?:Unable to acquire (?P<requested_bytes_3>[0-9]+) bytes|[A-Za-z]+ )"
        r"|Uncaught (?:fatal )?error from thread \[[^\n]{1,120}?\]: Java heap space|(?:^|[Ee]rror: "
        r"|[Ee]xception: )(?P<jvm_kind>Java heap space)\s*$)",
        proves=Proof.FAILURE,
        since="Java 6, Eclipse OpenJ9",
        example="#  Out of Memory Error (os_linux.cpp:2961), pid=4711, tid=4712",
        source="OpenJDK hs_err files",
    ),
    Signature(
        kind="jvm_oom",
        literals=("Native memory allocation", "insufficient memory for the Java", "os::commit_memory"),
        pattern=r"(?:There is insufficient memory for the Java Runtime Environment to continue"
        r"|Native memory allocation \((?:mmap|malloc)\) failed to (?:allocate|map|commit) "
        r"(?P<requested_bytes>[0-9]+) bytes"
        r"|os::commit_memory\(0x[0-9a-fA-F]+, (?P<requested_bytes_2>[0-9]+), [0-9a-z, ]+\) failed; error='"
        r"[^'\n]{1,80}'(?: \(errno=12\)|$))",
        proves=Proof.FAILURE,
        since="Java 6",
        example="# Native memory allocation (mmap) failed to map 2147483648 bytes for committing reserved memory.",
        source="OpenJDK hs_err files",
    ),
    Signature(
        kind="go_oom",
        literals=("out of memory", "runtime: VirtualAlloc of"),
        gate=r"runtime: (?:out of|cannot alloc|Virtual)",
        pattern=r"(?P<message>runtime: (?:out of memory|cannot allocate memory"
        r"|VirtualAlloc of (?P<requested_bytes_2>[0-9]+) bytes"
        r" failed))"
        r"(?:: cannot allocate (?P<requested_bytes>-?[0-9]+) ?-?byte block(?: \((?P<in_use_bytes>[0-9]+) in"
        r" use\))?|(?P<no_event>(?:: cannot allocate )?[\"']))?",
        proves=Proof.FAILURE,
        since="Go 1.0",
        example="runtime: out of memory: cannot allocate 31195136-byte block (34312716288 in use)",
        source="golang/go#23922",
    ),
    Signature(
        kind="go_oom",
        literals=("fatal error: ",),
        gate=r"fatal error: (?:[a-zA-Z]+: )?(?:out of|cannot (?:alloc|reserve)|arena|failed to reserve)",
        pattern=r"(?:^|[^\w\"'`/]) ?(?P<message>fatal error: (?:(?:[a-zA-Z]{3,24}: )?out of memory"
        r"|(?:runtime: )?cannot (?:allocate"
        r" (?:memory|heap metadata)|reserve arena virtual address space)|failed to reserve page summary memory"
        r"|arena_alloc|out of memory allocating heap arena (?:metadata|map|bitmap)))"
        r"(?: \([^\n)]{0,60}\))? $",
        proves=Proof.FAILURE,
        since="Go 1.3",
        example="fatal error: out of memory",
        source="golang/go#23922",
    ),
)
