"""Facts that a model server's metrics page and status pages tell."""

from collections.abc import Mapping
from types import MappingProxyType

from playbooks.vocabulary.fact_type import FactType, flag, number, word

_STATUS = "the server's status page (TF Serving: GET /v1/models/MODEL on the REST port)"
_PAGE = (
    "the server's metrics page (TF Serving: --rest_api_port and --monitoring_config_file; "
    "/monitoring/prometheus/metrics on the REST port)"
)
_COUNTS = "request_count by status on the server's metrics page"
_BATCHING = "the batching_session histograms of TF Serving's metrics page (they need --enable_batching)"
_GPU = "nvidia-smi --query-gpu=utilization.gpu,memory.used,memory.total --format=csv"

SERVER: Mapping[str, FactType] = MappingProxyType(
    {
        "server_kind": word(
            "which model server it is", "the command line of the process", "tf_serving", "triton", "torchserve", "other"
        ),
        "server_answers": flag(
            "whether its port takes connections (TF Serving opens its ports after the initial load)", _STATUS
        ),
        "models_missing": number("how many of the models asked for the server does not know (404)", _STATUS),
        "versions_available": number("the most versions of one model that are AVAILABLE at once", _STATUS),
        "models_available": number("how many model versions serve, of all models together", _STATUS),
        "versions_loading": number("how many model versions are in state START or LOADING", _STATUS),
        "versions_failed": number("how many model versions ended with an error (state END and a code not OK)", _STATUS),
        "load_error": word(
            "the error code of the version that failed last",
            _STATUS,
            "not_found",
            "resource_exhausted",
            "permission_denied",
            "invalid_argument",
            "failed_precondition",
            "unavailable",
            "deadline_exceeded",
            "internal",
            "data_loss",
            "other",
        ),
        "load_failures": number(
            "how many loads failed since the process started",
            'load_attempt_count with status="fail" on TF Serving\'s metrics page',
        ),
        "seconds_since_load": number("how long ago the last model version was loaded", _PAGE, "s"),
        "error_ratio": number("the share of requests that were not answered with OK", _COUNTS),
        "resource_exhausted_ratio": number("the share of requests answered with RESOURCE_EXHAUSTED", _COUNTS),
        "unavailable_ratio": number("the share of requests answered with UNAVAILABLE", _COUNTS),
        "deadline_exceeded_ratio": number("the share of requests answered with DEADLINE_EXCEEDED", _COUNTS),
        "p95_latency_seconds": number(
            "the time in which the server answered 95 % of its requests",
            "the buckets of request_latency (microseconds on TF Serving)",
            "s",
        ),
        "queue_share": number(
            "the mean wait in the batching queue, as a share of the time in which 95 % of the requests are answered",
            _BATCHING,
        ),
        "batch_size": number("the mean number of rows in a batch", _BATCHING),
        "padding_ratio": number("the share of the rows of batches that is padding", _BATCHING),
        "xla_compilations": number(
            "XLA compilations in the last half of what was recorded, warm-up left behind",
            "xla_compilations on TF Serving's metrics page",
        ),
        "graph_builds": number(
            "client graphs built in the last half of what was recorded, one for each set of inputs and outputs",
            "graph_build_calls on TF Serving's metrics page",
        ),
        "input_sizes": number(
            "in how many buckets of a factor 4 the sizes of the inputs lie",
            "graph_run_input_tensor_bytes on TF Serving's metrics page",
        ),
        "page_ratio": number("the size of the metrics page, as a multiple of its size at the trace's start", _PAGE),
        "gpu_memory_ratio": number("GPU memory in use, as a share of what there is", _GPU),
        "gpu_use_ratio": number("the share of the time in which the GPU computed", _GPU),
        "gpu_wait_ratio": number(
            "the share of the time in which requests waited for GPU memory",
            "bfc_allocator_delay (microseconds) on TF Serving's metrics page",
        ),
    }
)
