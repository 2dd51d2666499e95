"""Native allocation: C++, tcmalloc, jemalloc, glibc, Rust, V8, PyTorch's CPU allocator."""

from detectors.oom_lines.signature import Proof, Signature

# ENOMEM as glibc says it in German, French, Spanish, Portuguese, Italian, Russian, Polish, Chinese and Japanese.
ENOMEM_ELSEWHERE = (
    "Nicht gen\u00fcgend Hauptspeicher verf\u00fcgbar",
    "Kann Speicher nicht allozieren",
    "Impossible d'allouer de la m\u00e9moire",
    "Ne peut allouer de la m\u00e9moire",
    "No se pudo asignar memoria",
    "No se puede asignar memoria",
    "N\u00e3o foi poss\u00edvel alocar mem\u00f3ria",
    "Impossibile allocare memoria",
    "\u041d\u0435 \u0443\u0434\u0430\u043b\u043e\u0441\u044c \u0432\u044b\u0434\u0435\u043b\u0438\u0442\u044c"
    " \u043f\u0430\u043c\u044f\u0442\u044c",
    "Nie mo\u017cna przydzieli\u0107 pami\u0119ci",
    "\u65e0\u6cd5\u5206\u914d\u5185\u5b58",
    "\u7121\u6cd5\u914d\u7f6e\u8a18\u61b6\u9ad4",
    "\u30e1\u30e2\u30ea\u3092\u78ba\u4fdd\u3067\u304d\u307e\u305b\u3093",
)
ENOMEM = rf"(?:[Cc]annot allocate memory\b|{'|'.join(ENOMEM_ELSEWHERE)})"

ALLOCATORS: tuple[Signature, ...] = (
    Signature(
        kind="cpp_bad_alloc",
        literals=("bad_alloc", "bad allocation", "bad_array_new_length"),
        gate=r"(?:instance of|type|exception:?|description) .{0,160}(?:bad_alloc|bad_array)|what\(\): .{0,6}bad|rror:"
        r" .{0,6}bad_alloc|std::bad_alloc(?:$|: )",
        pattern=r"(?:terminate called after throwing an instance of .{0,3}?(?:boost::[^\n']{0,160}<)?"
        r"|terminating (?:with|due to)"
        r" uncaught exception of type |terminate called throwing an exception(?: of type)?:? "
        r"|[Uu]n(?:caught|handled) exception(?: of type)?:? ?'?|C\+\+ exception with description \")"
        r"(?P<exception>(?:[a-z_]+::)*bad_(?:alloc|array_new_length))\b(?:[^\n]{0,40}?what\(\): [^\s]{0,80})?",
        proves=Proof.FAILURE,
        since="libstdc++ 3, libc++ 3",
        example="terminate called after throwing an instance of 'std::bad_alloc'",
        source="GNU libsupc++/vterminate.cc",
    ),
    Signature(
        kind="cpp_bad_alloc",
        literals=("bad_alloc", "bad allocation"),
        gate=r"what\(\): .{0,6}bad",
        pattern=r"\bwhat\(\): ?\"?(?:(?P<exception>(?:std::)?(?:bad_alloc|bad_array_new_length)|St9bad_alloc)"
        r"|bad allocation)",
        proves=Proof.FAILURE,
        since="libstdc++ 3",
        example="  what():  std::bad_alloc",
        source="GNU libsupc++/vterminate.cc",
        fixed={"exception": "std::bad_alloc"},
    ),
    Signature(
        kind="cpp_bad_alloc",
        literals=("bad_alloc", ": bad allocation"),
        gate=r"std::bad_alloc(?:[ \t\r]*$|: )|: bad allocation",
        pattern=r"(?:(?:[Ee]rror|ERROR|[Ee]xception|E\]|FATAL|[Ff]ailed|caught)[^\n\"'`]{0,60}?[:=] ?'?|^)"
        r"(?P<exception>std::bad_alloc|bad allocation)(?:[\"'\x60]? $|: )",
        proves=Proof.FAILURE,
        since="C++98",
        example="RuntimeError: std::bad_alloc: out_of_memory: CUDA error at: cuda_memory_resource.hpp",
        source="rapidsai/rmm",
    ),
    Signature(
        kind="cpp_bad_alloc",
        literals=("large alloc",),
        gate=r"large alloc [0-9]",
        pattern=r"(?P<allocator>tcmalloc): large alloc (?P<requested_bytes>[0-9]+) bytes\b",
        proves=Proof.NOTHING,
        since="gperftools 1.0",
        example="tcmalloc: large alloc 1073750016 bytes == 0x55e946b04000 @  0x7f50916291e7",
        source="public notes on heap profiles",
    ),
    Signature(
        kind="cpp_bad_alloc",
        literals=("tcmalloc",),
        gate=r"tcmalloc.{0,60}(?:ailed|nable|out of|Out of)",
        pattern=r"(?P<allocator>tcmalloc)[^\n]{0,60}?(?:allocation failed:? ?(?P<requested_bytes>[0-9]*)"
        r"|[Uu]nable to allocate|out of memory|FATAL ERROR: Out of memory)",
        proves=Proof.FAILURE,
        since="gperftools 1.0",
        example="src/tcmalloc.cc:283] tcmalloc: allocation failed 1099511627776",
        source="gperftools tcmalloc.cc",
    ),
    Signature(
        kind="cpp_bad_alloc",
        literals=(
            "mimalloc: ",
            "out of memory allocating",
            "LLVM ERROR: out of memory",
            "ut Of Memory allocating",
            "ut of memory trying to allocate 0x",
            "ddressSanitizer failed to allocate",
            "OUT OF MEMORY. Alloc",
            "zmalloc: Out of memory",
            "virtual memory exhausted",
            "ailed on request of size",
            "Out of memory (Needed",
            "Array buffer allocation failed",
        ),
        pattern=r"(?:(?P<allocator>mimalloc): error: (?:unable to allocate|out of memory"
        r"|failed to allocate)[^\n]{0,40}?(?:\((?P<requested_bytes>[0-9]+) bytes|$|memory)"
        r"|[a-z0-9+]{2,16}: out of memory allocating (?P<requested_bytes_2>[0-9]+) bytes after a total of"
        r"|\bLLVM ERROR: out of memory\b"
        r"|\bOut Of Memory allocating (?P<requested_bytes_3>[0-9]+) bytes"
        r"|zmalloc: Out of memory trying to allocate (?P<requested_bytes_4>[0-9]+) bytes"
        r"|for OUT OF MEMORY\. Allocating (?P<requested_bytes_5>[0-9]+) bytes"
        r"|Sanitizer: (?:allocator is )?out of memory trying to allocate 0x[0-9a-f]+"
        r"|AddressSanitizer failed to allocate 0x[0-9a-f]+"
        r"|virtual memory exhausted: Cannot allocate memory|\bFailed on request of size (?P<requested_bytes_6>[0-9]+)\b"
        r"|: Out of memory \(Needed (?P<requested_bytes_7>[0-9]+) bytes\)|RangeError: Array buffer allocation failed)",
        proves=Proof.FAILURE,
        since="mimalloc 1, GCC 3, LLVM 3, Redis 2",
        example="cc1plus: out of memory allocating 65536 bytes after a total of 1073741824 bytes",
        source="GNU libiberty xmalloc.c",
    ),
    Signature(
        kind="cpp_bad_alloc",
        literals=("jemalloc>",),
        gate=r"jemalloc(?:>|&gt;|\\u003e): Error",
        pattern=r"<(?P<allocator>jemalloc)>: Error (?:in [a-z_]+\(\): out of memory"
        r"|allocating [A-Za-z]+\b)(?: Requested: "
        r"(?P<requested_bytes>[0-9]+))?",
        proves=Proof.FAILURE,
        since="jemalloc 3",
        example="<jemalloc>: Error in malloc(): out of memory\n Requested: 2065019520",
        source="jemalloc/jemalloc#2008",
    ),
    Signature(
        kind="cpp_bad_alloc",
        literals=("CPUAllocator",),
        pattern=r"(?P<allocator>DefaultCPUAllocator): (?:can't allocate memory|not enough memory)(?:: you tried"
        r" to allocate (?P<requested_bytes>[0-9]+) ?(?:bytes|B)|[.\"']?\)?,? $)"
        r"|enforce fail at [^\n\]]{0,80}\][^\n]{0,40}?(?P<allocator_2>DefaultCPUAllocator): (?:can't allocate"
        r"|not enough) memory(?:: you tried to allocate (?P<requested_bytes_2>[0-9]+))?",
        proves=Proof.FAILURE,
        since="PyTorch 1.0",
        example="RuntimeError: [enforce fail at alloc_cpu.cpp:75] err == 0. DefaultCPUAllocator: can't"
        " allocate memory: you tried to"
        " allocate 68719476736 bytes. Error code 12 (Cannot allocate memory)",
        source="PyTorch c10/core/impl/alloc_cpu.cpp",
    ),
    Signature(
        kind="cpp_bad_alloc",
        literals=("memory allocation of",),
        gate=r"memory allocation of [0-9]",
        pattern=r"\bmemory allocation of (?P<requested_bytes>[0-9]+) bytes failed",
        proves=Proof.FAILURE,
        since="Rust 1.28",
        example="memory allocation of 1073741824 bytes failed",
        source="Rust library/std/src/alloc.rs",
        fixed={"allocator": "rust"},
    ),
    Signature(
        kind="cpp_bad_alloc",
        literals=("JavaScript heap out of memory",),
        pattern=r"(?P<no_event>\b(?:avoid|prevent|fix|solve|against)[a-z]* (?:[a-z]+ )?)?"
        r"(?:FATAL ERROR|Fatal JavaScript (?:out of memory|error)|fatal error)[^\n]{0,100}?JavaScript"
        r" heap out of memory",
        proves=Proof.FAILURE,
        since="Node.js 4",
        example="FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        source="nodejs/node src/node_errors.cc",
        fixed={"allocator": "v8"},
    ),
    Signature(
        kind="cpp_bad_alloc",
        literals=("Cannot allocate memory", "annot allocate memory", *ENOMEM_ELSEWHERE),
        gate="|".join(("annot allocate memory", *ENOMEM_ELSEWHERE)),
        pattern=r"(?P<no_event>[\"'])?(?:\b(?:fork|vfork|clone|mmap|malloc|realloc|calloc|mremap|sbrk|brk"
        r"|posix_memalign"
        r"|pthread_create|shmget|mlock|exec|fork/exec [^\n:]{1,200})(?:\(\))?(?: failed| error| retry)?"
        r"|error while loading shared"
        r" libraries: [^\n]{1,120}|failed to map segment from shared object"
        r"|unable to mmap [0-9]+ bytes from file [^\n]{0,120}?"
        r"|\b(?:[Cc]ould not|[Cc]annot|[Cc]an't|[Uu]nable to|[Ff]ailed to) (?:allocate|create|execute|exec|expand|fork"
        r"|grow|initiali[sz]e|load|map|mmap|open|read|resize|run|spawn|start|write)\b[^\n\"'\x60]{0,80}?"
        r"|\) failed \([0-9]+)"
        r": (?:\[?[Ee]rrno[ =]?12\]?:? |Resource temporarily unavailable: )?" + ENOMEM,
        proves=Proof.FAILURE,
        since="any libc (ENOMEM)",
        example="-bash: fork: Cannot allocate memory",
        source="GNU bash",
    ),
    Signature(
        kind="cpp_bad_alloc",
        literals=("malloc_error_break", "mach_vm_map", "can't allocate region"),
        gate=r"malloc: \*\*\* ",
        pattern=r"\bmalloc: \*\*\* (?:mach_vm_map|mmap)\(size=(?P<requested_bytes>[0-9]+)[^\n]{0,20}\) failed",
        proves=Proof.FAILURE,
        since="macOS 10.6",
        example="malloc: *** mach_vm_map(size=1125899906842624) failed (error code=3)",
        source="Apple libmalloc",
    ),
)
