"""Device memory: CUDA, HIP and Metal as PyTorch, TensorFlow, XLA, ggml, ONNX Runtime and CuPy report it."""

from detectors.oom_lines.signature import Proof, Signature
from detectors.oom_lines.signatures.tensorflow import AMOUNT

_STATUS = r"cudaErrorMemoryAllocation|(?:CUBLAS|CUDNN|CUSOLVER|CUSPARSE)_STATUS_ALLOC_FAILED"
_SIZE = r"[0-9][0-9.]* ?(?:[KMGT]i?B|bytes|B)"

GPU: tuple[Signature, ...] = (
    Signature(
        kind="cuda_oom",
        literals=("out of memory", "Tried to allocate"),
        gate=r"out of memory.{0,170}?Tried to all|Tried to allocate [0-9]",
        pattern=rf"(?:(?P<backend>CUDA|HIP|XPU|NPU|MPS|MUSA|MLU|GPU)(?: backend)? out of memory)[.,:]?(?:"
        rf" \([^)\n]{{0,160}}\)\.?)? Tried to allocate(?: (?:{AMOUNT}|[0-9])| $)"
        rf"[.,]?(?: \(GPU (?P<gpu>[0-9]+); (?P<total_capacity>{_SIZE}) total capacity)?(?:[^\n]{{0,120}}?; "
        rf"(?P<free>{_SIZE}) free)?"
        rf"(?: GPU (?P<gpu_2>[0-9]+) has a total capac?i?ty of (?P<total_capacity_2>{_SIZE})(?: of which "
        rf"(?P<free_2>{_SIZE}) is free)?)?",
        proves=Proof.FAILURE,
        since="PyTorch 0.4",
        example="RuntimeError: CUDA out of memory. Tried to allocate 12.50 MiB (GPU 0; 10.92 GiB total"
        " capacity; 8.57 MiB already"
        " allocated; 9.28 GiB free; 4.68 MiB cached)",
        source="pytorch/pytorch#16417",
    ),
    Signature(
        kind="cuda_oom",
        literals=("Tried to allocate",),
        gate=r"Tried to allocate [0-9]",
        pattern=rf"Tried to allocate {AMOUNT}[.,]? \(GPU (?P<gpu>[0-9]+); (?P<total_capacity>{_SIZE}) total capacity"
        rf"(?:[^\n]{{0,120}}?; (?P<free>{_SIZE}) free)?",
        proves=Proof.FAILURE,
        since="PyTorch 0.4",
        example="Tried to allocate 20.00 MiB (GPU 0; 1.96 GiB total capacity; 1.24 GiB already allocated; 2.88 MiB"
        " free; 1.25 GiB reserved in total by PyTorch)",
        source="PyTorch c10/cuda, its sentence's second half",
    ),
    Signature(
        kind="cuda_oom",
        literals=("out of memory", "Out of Memory", "Out of memory", "OutOfMemoryError: Allocation on"),
        gate=r"(?:rror|xception)\)?: ?(?:CUDA|HIP|XPU|MPS backend|NPU) [Oo]ut [Oo]f [Mm]emory"
        r"|MPS backend out of memory \("
        r"|OutOfMemoryError: Allocation on d|CUDA: ?out of memory",
        pattern=r"(?:Error|error|Exception|rror\)): ?(?:CUDA|HIP|XPU|MPS backend|NPU) [Oo]ut [Oo]f [Mm]emory(?:\.? $"
        r"|[.:;,] ?[^a-z]|`| \()|MPS backend out of memory \(MPS allocated|\bOutOfMemoryError: Allocation on device\b"
        r"|\b(?:[Cc]heck failed|[Ff]ailed|[Ee]rror|ERROR)[^\n\"'`]{0,100}?\bCUDA: out of memory\b",
        proves=Proof.FAILURE,
        since="PyTorch 0.4",
        example="torch.cuda.OutOfMemoryError: CUDA out of memory.",
        source="PyTorch c10/cuda",
    ),
    Signature(
        kind="cuda_oom",
        literals=("_OUT_OF_MEMORY", "_ERROR_OUT_OF_", "CUDA_ERROR_OUT_OF_MEMORY", "hipErrorOutOfMemory"),
        gate=r"_ERROR_OUT_OF_(?:MEM|DEVICE|HOST)|hipErrorOutOfMem",
        pattern=r"(?:failed to alloc(?:ate)? (?:[0-9.]+ ?[KMGT]?i?B? \((?P<requested_bytes>[0-9]+) bytes\)|"
        r"(?P<requested_bytes_2>[0-9]+) bytes) .{0,40}?)?"
        r"(?P<no_event>(?:==|!=|\breturn|\bcase|::|\?|&) ?)?\b(?P<code>(?:CUDA|HIP)_ERROR_OUT_OF_MEMORY"
        r"|hipErrorOutOfMemory"
        r"|UR_RESULT_ERROR_OUT_OF_(?:DEVICE_|HOST_)?MEMORY|VK_ERROR_OUT_OF_DEVICE_MEMORY)(?:: out of memory"
        r"|:? \(?out of"
        r" memory|\)|$|[.;,] [A-Z])|failed to alloc(?:ate)? [0-9.]+ ?[KMGT]?i?B? \((?P<requested_bytes_3>[0-9]+)"
        r" bytes\)[^\n]{0,40}? "
        r"(?P<code_2>CUDA_ERROR_OUT_OF_MEMORY)",
        proves=Proof.FAILURE,
        since="CUDA 4",
        example="cuda_driver.cc:732] failed to allocate 7.81G (8387559424 bytes) from device:"
        " CUDA_ERROR_OUT_OF_MEMORY: out of memory",
        source="tensorflow/tensorflow#52123",
    ),
    Signature(
        kind="cuda_oom",
        literals=(
            "CUDA error",
            "cuda runtime error",
            "CUDA Error",
            "CUDA failure",
            "CUDA driver error",
            "Cuda error",
            "Cuda Error",
            "cuda error",
            "HIP error",
            "Cuda Runtime (out",
            "cudaSuccess",
            "THCudaCheck FAIL",
            "GPUassert: out",
            "Gpu API call) out",
            "thrust::",
            "amount of GPU memory",
        ),
        gate=r"(?:CUDA|cuda|Cuda|HIP)(?: runtime| driver)? (?:[Ee]rror|failure).{0,160}(?:out of mem"
        r"|MemoryAllocation)|Cuda Runtime \(out of"
        r"|cudaSuccess.{0,100}out of mem|THCudaCheck FAIL|GPUassert: out|Gpu API call\) out of"
        r"|thrust::.{0,30}out of mem|amount of GPU memory \([0-9]",
        pattern=r"(?:CUDA|cuda|Cuda|HIP)(?: runtime| driver)? (?:[Ee]rror|failure)(?: ?=? ?\(?(?P<errno>2)\)?)?"
        r" ?[:,]? (?:(?:in|at) [^\n\"]{1,120}?(?:: |: 2 \(|code=2\((?:cudaErrorMemoryAllocation|out of memory)\)| ')"
        r"|(?:cudaMalloc|hipMalloc|cuMemAlloc)\w* [^\n:]{0,60}?failed:? |\("
        r"|error )?(?:(?:cudaErrorMemoryAllocation:? ?)?out of"
        r" memory\b| ?\"cudaMalloc)"
        r"|[Cc]heck failed: [^\n\"]{0,80}?\bcudaSuccess \(2 vs\. 0\) out of memory"
        r"|error == cudaSuccess\. 2 vs 0[^\n]{0,200}?out of memory"
        r"|THCudaCheck FAIL file=[^\n]{1,160}? error=2 : out of memory|GPUassert: out of memory\b"
        r"|Error Code [0-9]+: Cuda Runtime \(out of memory\)|Gpu API call\) out of memory\b"
        r"|thrust::(?:system|detail)[^\n\"]{0,40}?: out of memory\b"
        r"|Requested amount of GPU memory \((?P<requested_bytes>[0-9]+) bytes\) could not",
        proves=Proof.FAILURE,
        since="CUDA 4",
        example="RuntimeError: CUDA error: out of memory",
        source="PyTorch c10/cuda/CUDAException.cpp",
    ),
    Signature(
        kind="cuda_oom",
        literals=("cudaErrorMemoryAllocation", "STATUS_ALLOC_FAILED"),
        pattern=r"(?:(?:[Ee]rror:?|[Ff]ailed:?|[Ff]ailed with|died with|handle:|code:?|what\(\):[^\n]{0,40}?)"
        r" [`'\"(]?|^)"
        rf"(?P<code>{_STATUS})\b(?: $|: out of|[`'\".,)]| \(|: [A-Z]| when | in )"
        rf"|\b(?P<code_2>{_STATUS}): out of memory",
        proves=Proof.FAILURE,
        since="CUDA 4",
        example="RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        source="PyTorch ATen/cuda/CublasHandlePool.cpp",
    ),
    Signature(
        kind="cuda_oom",
        literals=("cudaMalloc", "cudaMalloc failed: out of memory", "hipMalloc", "cuMemAlloc", "device memory"),
        gate=r"(?:cudaMalloc|hipMalloc|cuMemAlloc).{0,160}?(?:out of mem|OUT_OF_MEM)|bytes of device memory",
        pattern=r"(?:cudaMalloc(?:Async|Managed|Host)?|hipMalloc|cuMemAlloc\w*)(?:\(.{0,80}?\))?,? (?:retry )?(?:failed"
        r"|returned|error)[^\n]{0,40}?: ?(?:out of memory|CUDA_ERROR_OUT_OF_MEMORY)"
        r"|Error allocating (?P<requested_bytes>[0-9]+) bytes of device memory",
        proves=Proof.FAILURE,
        since="CUDA 4",
        example="ggml_backend_cuda_buffer_type_alloc_buffer: allocating 4096.00 MiB on device 0: cudaMalloc"
        " failed: out of memory",
        source="ggml-org/llama.cpp",
    ),
    Signature(
        kind="cuda_oom",
        literals=(
            "Out of memory error on GPU",
            "ut of memory allocating",
            "out of memory to allocate",
            "BFCArena",
            "ErrorOutOfDeviceMemory",
            "to allocate CUDA",
            "to allocate ROCm",
            "to allocate Vulkan",
            "of pinned memory",
            "for requested buffer of size",
        ),
        pattern=r"(?:Out of memory error on GPU (?P<gpu>[0-9]+)\. Cannot allocate (?P<requested>[0-9.]+ ?[KMGT]?i?B)"
        r"|OutOfMemoryError: [Oo]ut of memory (?:allocating|to allocate) (?P<requested_bytes>[0-9,]+) bytes"
        r"|(?:failed|unable) to allocate (?:CUDA|ROCm|Vulkan|Metal"
        r"|SYCL)[0-9]* buffer(?: of size (?P<requested_bytes_4>[0-9]+))?"
        r"|failed to allocate [0-9.]+ MiB of pinned memory|llocateMemory: (?:vk::)?ErrorOutOfDeviceMemory"
        r"|BFCArena::AllocateRawInternal[^\n]{0,120}?Available memory"
        r" of [0-9]+ is smaller than requested bytes of"
        r" (?P<requested_bytes_2>[0-9]+)"
        r"|Failed to allocate memory for requested buffer of size (?P<requested_bytes_3>[0-9]+))",
        proves=Proof.FAILURE,
        since="PaddlePaddle 1.8, CuPy 5, ONNX Runtime 1.0",
        example="cupy.cuda.memory.OutOfMemoryError: Out of memory allocating 8,589,934,592 bytes (allocated"
        " so far: 512 bytes).",
        source="cupy/cuda/memory.pyx",
    ),
)
