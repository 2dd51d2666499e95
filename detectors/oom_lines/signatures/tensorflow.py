"""TensorFlow 1.x and 2.x, TensorFlow Serving, XLA and JAX."""

from detectors.oom_lines.signature import Proof, Signature

_SHAPE = r"(?P<tensor_shape>\[[-0-9, ?]{0,400}\]|\([-0-9, ?]{1,400}\)|(?:dim \{ size: -?[0-9]+ \} ){1,16})"
_SERVABLE = r"\{? name: (?P<model>[^\s]{1,128}) version: (?P<version>[0-9]+) ?\}?"
AMOUNT = r"(?P<requested>[0-9][0-9.]* ?(?:[KMGTP]i?B?|bytes|B)\b)"

SERVING: tuple[Signature, ...] = (
    Signature(
        kind="tf_serving_load_oom",
        literals=("RESOURCE_EXHAUSTED",),
        gate=r"error_code.{1,8}RESOURCE_EXHAUSTED",
        pattern=r"error_code\\{0,3}\": ?\\{0,3}\"RESOURCE_EXHAUSTED\\{0,3}\", \\{0,3}\"error_message\\{0,3}\":"
        r" ?\\{0,3}\""
        r"[^\n\"]{0,80}?(?:OOM|Insufficient resources|[Mm]emory|[Aa]llocat)",
        proves=Proof.FAILURE,
        since="TensorFlow Serving 1.8",
        example='"status": {"error_code": "RESOURCE_EXHAUSTED", "error_message": "OOM when allocating tensor"}',
        source="tensorflow/serving apis/get_model_status.proto, as REST returns it",
    ),
    Signature(
        kind="tf_serving_load_oom",
        literals=("esources to load servable", "esources for servable"),
        gate=r"(?:Insufficient|nable to reserve|eserving) resources (?:to load|for) servable:? ?(?:\{|=?2?0?$)"
        r"|nable to reserve$|^[ \t>#]*resources to load servable",
        pattern=rf"(?:Insufficient resources to load|Unable to reserve resources to load|[Rr]eserving"
        rf" resources for) servable:? {_SERVABLE}|resource_tracker\.cc:[0-9]+\] Insufficient resources to load"
        rf" servable\s*$",
        proves=Proof.FAILURE,
        since="TensorFlow Serving 1.0",
        example="Insufficient resources to load servable {name: half_plus_two version: 123}",
        source="tensorflow/serving core/loader_harness.cc",
    ),
    Signature(
        kind="tf_serving_load_oom",
        literals=("oading servable", "load servable", "for servable version", "due to error", "cannot be loaded"),
        gate=r"(?:oading|to load) servable:? ?(?:version )?(?:\{.{0,160}(?:OOM|RESOURCE_EX|esource exh|bad_alloc"
        r"|Insufficient"
        r"|OUT_OF_MEM|[Aa]llocate mem)|(?:\{[^}\n]{0,80})?$)|\} failed:.{0,40}$|ervable\(s\) did not|for servable$"
        r"|servable version \{.{0,80}\}: |\} due to error: |\} cannot be loaded",
        pattern=rf"(?:Loading servable:|[Ee]ncountered an error for servable version|Error while loading"
        rf" servable|Loading servable version|load servable:?|did not become available: [^\n]{{0,400}}?\{{"
        rf"|Servable) {_SERVABLE}"
        r"[^\n\"]{0,120}?(?:OOM when|std::bad_alloc|bad_alloc|Insufficient resources|CUDA_ERROR_OUT_OF_MEMORY"
        r"|[Ff]ailed to allocate (?:memory|device)|(?:RESOURCE_EXHAUSTED|Resource"
        r" exhausted): .{0,60}?(?:OOM|[Mm]emory|[Aa]llocat|resources to load|not enough))",
        proves=Proof.FAILURE,
        since="TensorFlow Serving 1.0",
        example="Loading servable: {name: vgg16 version: 1} failed: Resource exhausted: OOM when allocating"
        " tensor with shape[3,3,512,512]",
        source="tensorflow/serving core/loader_harness.cc",
    ),
)

TENSORFLOW: tuple[Signature, ...] = (
    Signature(
        kind="tf_resource_exhausted",
        literals=("when allocating tensor",),
        gate=r"when allocating (?:tensor|$)|when$|shape ?[\[(][0-9, ]+[\])] and type",
        pattern=rf"(?:OOM|\boom) when allocating tensor (?:with|of) shape ?{_SHAPE}"
        r"(?:,? and type (?P<dtype>[a-z0-9A-Z_]+))?"
        r"(?:,? on (?P<device>/?[a-zA-Z0-9/:_.-]{1,160}))?(?:,? by allocator "
        r"(?P<allocator>[A-Za-z0-9_./:-]{0,80}[A-Za-z0-9_]))?(?:[^\n]{0,900}?\[Op: (?P<op>[A-Za-z0-9_./-]{1,200})\])?",
        proves=Proof.FAILURE,
        since="TensorFlow 0.5",
        example="ResourceExhaustedError (see above for traceback): OOM when allocating tensor with"
        " shape[64,32,3,3] and type float"
        " on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc",
        source="experiencor/keras-yolo2#382",
    ),
    Signature(
        kind="tf_resource_exhausted",
        literals=("RESOURCE_EXHAUSTED", "ResourceExhausted", "esource exhausted", "RESOURCE EXHAUSTED"),
        gate=r"(?:RESOURCE_EXHAUSTED|ResourceExhaustedError|esource exhausted).{0,80}?(?:OOM|[Mm]emory"
        r"|[Aa]llocate|Attempting to)",
        pattern=r"(?:RESOURCE_EXHAUSTED|ResourceExhaustedError|[Rr]esource exhausted).{0,80}?"
        r"(?:[Oo]ut of memory (?:while )?(?:trying to allocate|allocating) (?:(?P<requested_bytes>[0-9]+) bytes|"
        + AMOUNT
        + r")"
        r"|[Ff]ailed to allocate (?:request for )?"
        + AMOUNT.replace("requested", "requested_2")
        + r"(?: \((?P<requested_bytes_2>[0-9]+) ?B?\))?"
        r"|(?:Ran )?[Oo]ut of memory in memory space|[Ff]ailed to allocate memory|OOM when allocating"
        r"|MemoryError|unable to allocate output tensor|[Oo]ut of memory\b(?:$|[.:,;]? [^\"'`a-z]|\.)"
        r"|Attempting to reserve|Attempting to allocate)",
        proves=Proof.FAILURE,
        since="TensorFlow 1.0; XLA and JAX 0.2",
        example="jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to"
        " allocate 17179869184 bytes.",
        source="openxla/xla bfc_allocator and pjrt",
    ),
    Signature(
        kind="tf_resource_exhausted",
        literals=("RESOURCE_EXHAUSTED: Out of memory", "Error: OOM"),
        gate=r"Error: RESOURCE_EXHAUSTED: Out of m|Error: OOM(?: when allocating tensor|[ \t\r]*$|`)",
        pattern=r"Error: RESOURCE_EXHAUSTED: Out of memory\b|\bError: OOM when allocating tensor\b(?P<no_event>['\"])?"
        r"|ResourceExhaustedError: OOM(?: $|`)",
        proves=Proof.FAILURE,
        since="XLA, JAX 0.2",
        example="RuntimeError: RESOURCE_EXHAUSTED: Out of memory",
        source="a public model's notes on its batch size",
    ),
    Signature(
        kind="tf_resource_exhausted",
        literals=("failed to allocate memory",),
        gate=r"failed to allocate memory \[Op",
        pattern=r"failed to allocate memory \[Op: ?(?P<op>[A-Za-z0-9_./-]+)\]",
        proves=Proof.FAILURE,
        since="TensorFlow 2.4",
        example="ResourceExhaustedError: failed to allocate memory [Op:AddV2]",
        source="tensorflow/core/framework/op_kernel.cc",
    ),
    Signature(
        kind="tf_resource_exhausted",
        literals=("while trying to allocate",),
        gate=r"trying to allocate [0-9]",
        pattern=r"(?:^|[^\"'`])[Oo]ut of memory while trying to allocate (?:(?P<requested_bytes>[0-9]+) bytes|"
        + AMOUNT
        + ")",
        proves=Proof.FAILURE,
        since="XLA, JAX 0.2",
        example="Execution of replica 0 failed: Out of memory while trying to allocate 2147483648 bytes.",
        source="openxla/xla pjrt",
    ),
    Signature(
        kind="tf_bfc_allocator",
        literals=("ran out of memory", "Ran out of memory", "memory trying to al"),
        gate=r"an out of memory trying to a|ran out of$|trying to allocate [0-9]",
        pattern=r"(?:Allocator (?:\((?P<allocator>[A-Za-z0-9_./:-]+)\) )?r|(?:\b|_)R|allocator\.cc:[0-9]+\] r)an out of"
        r" memory trying to (?:a[a-z]* $|allocate "
        + AMOUNT
        + r")(?: \(rounded to (?P<requested_bytes>[0-9]+)\))?(?:,? requested by op "
        r"(?P<op>[A-Za-z0-9_./:{}-]{0,200}[A-Za-z0-9_}]))?"
        r"(?P<harmless>[^\n]{0,100}?not a failure)?",
        proves=Proof.FAILURE,
        since="TensorFlow 0.6",
        example="Allocator (GPU_0_bfc) ran out of memory trying to allocate 34.10MiB (rounded to"
        " 35758080)requested by op SquaredDifference",
        source="knaw-huc/loghi#55",
        fixed={"is_failure": True},
    ),
    Signature(
        kind="tf_bfc_allocator",
        literals=("system memory", "exceeds 10%"),
        gate=r"exceeds 10 ?% of|Allocation of [0-9]+",
        pattern=r"Allocation of (?P<requested_bytes>[0-9]+) (?:bytes )?exceeds 10 ?% of (?:free )?(?:system )?memory",
        proves=Proof.NOTHING,
        since="TensorFlow 1.4",
        example="cpu_allocator_impl.cc:83] Allocation of 411041792 exceeds 10% of free system memory.",
        source="a public benchmark, 2025",
        fixed={"is_failure": False},
    ),
    Signature(
        kind="tf_bfc_allocator",
        literals=("tried to allocate", "ran out of memory when allocating"),
        gate=r"_allocator\.cc:[0-9]+\] tried to alloc|GPU ran out of memory when alloc",
        pattern=r"_allocator\.cc:[0-9]+\] tried to allocate (?P<requested_bytes>[0-9]+) bytes"
        r"|EigenAllocator for GPU ran out of memory when allocating (?P<requested_bytes_2>[0-9]+)",
        proves=Proof.FAILURE,
        since="TensorFlow 0.6",
        example="gpu_device.cc:103] EigenAllocator for GPU ran out of memory when allocating 0. See error logs for"
        " more detailed info.",
        source="CharlesShang/FastMaskRCNN#129",
        fixed={"is_failure": True},
    ),
    Signature(
        kind="tf_bfc_allocator",
        literals=("pinned host memory",),
        pattern=r"could not allocate pinned host memory of (?:size|bytes): (?P<requested_bytes>[0-9]+)",
        proves=Proof.FAILURE,
        since="TensorFlow 1.4",
        example="device_host_allocator.h:51] could not allocate pinned host memory of size: 2147483648",
        source="tensorflow/tensorflow#64764",
        fixed={"is_failure": True},
    ),
)
