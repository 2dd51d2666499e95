"""What each model server's page says, from pages as the servers print them."""

from pathlib import Path

import pytest

from leakwatch.sample.exposition import read_page, types_of
from leakwatch.sample.serving import gpu, prometheus_client, tf_serving, torchserve, triton
from leakwatch.sample.serving.reading import Reading, between
from leakwatch.sample.serving.source import READERS
from leakwatch.settings import ServingKind
from tests.fakes.tf_serving import TfServing

PAGES = Path(__file__).parent / "pages"
CORPUS = Path(__file__).parents[5] / "shared" / "corpus" / "tf_serving_metrics"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared")


def reading(kind: ServingKind, text: str) -> Reading:
    wanted, read = READERS[kind]
    return read(read_page(text.encode(), wanted), types_of(text.encode()))


def page(name: str) -> str:
    return (PAGES / name).read_text()


class TestTfServing:
    def test_status_polls_and_probes_are_no_requests(self) -> None:
        """Only latencies with an API are inferences: our own polls and a probe's 404 leave the count alone."""
        server = TfServing()
        server.load("resnet", 1)
        server.request("resnet", count=40)
        before = reading(ServingKind.TF_SERVING, server.page())
        for _ in range(25):
            server.status("resnet")
            server.status("no_such_model")
        after = reading(ServingKind.TF_SERVING, server.page())
        assert before.values["requests_total"] == after.values["requests_total"] == 40.0
        assert after.values["requests_total:resnet"] == 40.0
        assert "requests_total:no_such_model" not in after.values
        assert after.values["requests_failed_total"] == 0.0
        assert after.values["requests_refused_total"] == 25.0

    def test_errors_count_by_status_and_callers_mistakes_apart(self) -> None:
        """A full queue is a failure, a malformed request is the caller's."""
        server = TfServing()
        server.fail("resnet", "UNAVAILABLE", 17)
        server.fail("resnet", "RESOURCE_EXHAUSTED", 4)
        server.fail("", "INVALID_ARGUMENT", 3)
        values = reading(ServingKind.TF_SERVING, server.page()).values
        assert values["requests_failed_total"] == 21.0
        assert values["requests_failed_total:UNAVAILABLE"] == 17.0
        assert values["requests_refused_total"] == 3.0

    def test_loads_are_counted_by_model_and_failed_ones_apart(self) -> None:
        """Each version's successful load counts once, under the name of the folder above its number."""
        server = TfServing()
        server.load("resnet", 41, seconds=8.0)
        server.load("resnet", 42, seconds=6.0)
        server.load("bert", 1, seconds=1.0)
        server.load("resnet", 43, ok=False)
        values = reading(ServingKind.TF_SERVING, server.page()).values
        assert values["model_loads_total"] == 3.0
        assert values["model_loads_total:resnet"] == 2.0
        assert values["model_loads_failed_total"] == 1.0
        assert values["load_seconds:resnet"] == pytest.approx(6.0)

    def test_the_95th_percentile_is_that_of_the_time_between_two_looks(self) -> None:
        """Old slow requests do not hold the percentile up: it falls as soon as new ones are quick."""
        server = TfServing()
        server.request("resnet", 1000, seconds=2.0)
        first = reading(ServingKind.TF_SERVING, server.page())
        server.request("resnet", 100, seconds=0.02)
        second = reading(ServingKind.TF_SERVING, server.page())
        assert "latency_p95_seconds:resnet/predict" not in between(None, first)
        assert between(first, second)["latency_p95_seconds:resnet/predict"] == pytest.approx(0.02, rel=0.8)

    def test_a_server_that_began_anew_gives_no_percentile(self) -> None:
        """Counts that fell are no difference."""
        old, new = TfServing(), TfServing()
        old.request("resnet", 100)
        new.request("resnet", 10)
        columns = between(*(reading(ServingKind.TF_SERVING, server.page()) for server in (old, new)))
        assert "latency_p95_seconds:resnet/predict" not in columns

    def test_a_family_without_cells_is_zero_and_a_missing_one_unknown(self) -> None:
        """A server that nobody asked yet has had no request; a page without the family says nothing."""
        assert reading(ServingKind.TF_SERVING, TfServing().page()).values["requests_total"] == 0.0
        assert (
            "requests_total" not in reading(ServingKind.TF_SERVING, "# TYPE :tensorflow:core:graph_runs counter").values
        )

    @needs_corpus
    def test_real_pages_are_read(self) -> None:
        """The whole page of an old server, which has no latencies, and the synthetic page with every form."""
        real = reading(ServingKind.TF_SERVING, (CORPUS / "01_bert_two_versions_full.txt").read_text())
        assert real.values["model_loads_total:bert"] == 2.0
        assert real.values["graph_runs_total"] == 8.0
        assert real.values["input_sizes"] == 3.0
        assert "requests_total" not in real.values
        synthetic = reading(ServingKind.TF_SERVING, (CORPUS / "05_SYNTHETIC_modern_all_shapes.txt").read_text())
        assert synthetic.values["model_loads_total:resnet"] == 2.0
        assert synthetic.values["model_loads_failed_total"] == 6.0
        assert synthetic.values["models_available"] == 1.0
        assert synthetic.values["requests_refused_total"] == 14.0
        assert synthetic.values["requests_failed_total"] == 21.0
        assert "queue_seconds:model_server_batch_threads" in synthetic.histogram_means

    @needs_corpus
    def test_rounded_sums_are_not_trusted(self) -> None:
        """Queueing whose sum has six digits is averaged from its exact buckets."""
        text = (CORPUS / "05_SYNTHETIC_modern_all_shapes.txt").read_text()
        queued = reading(ServingKind.TF_SERVING, text).histogram_means["queue_seconds:model_server_batch_threads"]
        assert queued.total is None
        assert queued.mean() == pytest.approx(0.0169, rel=0.15)  # its sum over its count: 1.693e7 us over 1000

    def test_a_page_cut_in_the_middle_never_invents_a_percentile(self) -> None:
        """Whatever byte a page ends at, what is read of it was on it, and half a histogram is none."""
        server = TfServing()
        server.load("resnet", 1)
        server.request("resnet", 50, seconds=0.05)
        whole = server.page()
        full = reading(ServingKind.TF_SERVING, whole)
        for end in range(0, len(whole), 97):
            part = reading(ServingKind.TF_SERVING, whole[:end])
            assert set(part.quantiles) <= set(full.quantiles)
            assert part.values.get("model_loads_total", 0.0) <= 1.0


class TestTriton:
    def test_requests_failures_and_gpus(self) -> None:
        """Requests by model, failures by reason, loads' duration, memory of both GPUs; never the machine's memory."""
        now = reading(ServingKind.TRITON, page("triton.txt"))
        assert now.values["requests_total"] == 58.0
        assert now.values["requests_total:preprocessor"] == 29.0
        assert now.values["requests_failed_total"] == 0.0
        assert now.values["load_seconds:preprocessor"] == pytest.approx(1.618, abs=0.001)
        assert now.values["gpu_used_bytes:GPU-340cec52-80ba-c0df-8511-5f9680aae0ff"] == 617611264.0
        assert now.values["models_available"] == 2.0
        assert not [name for name in now.values if name.endswith("memory_bytes") or name == "rss_bytes"]

    def test_means_of_the_time_between_two_looks(self) -> None:
        """Sums in microseconds become seconds per request."""
        text = page("triton.txt")
        later = text.replace(
            '_success{model="preprocessor",version="1"} 29', '_success{model="preprocessor",version="1"} 39'
        )
        later = later.replace(
            '_duration_us{model="preprocessor",version="1"} 240737',
            '_duration_us{model="preprocessor",version="1"} 740737',
        )
        columns = between(reading(ServingKind.TRITON, text), reading(ServingKind.TRITON, later))
        assert columns["latency_mean_seconds:preprocessor"] == pytest.approx(0.05)
        assert "latency_mean_seconds:identity_long" not in columns

    def test_an_old_page_with_gpu_labels_is_read(self) -> None:
        """Before 21.x the GPU stood among a model's labels and the hash had no blank after it."""
        assert reading(ServingKind.TRITON, page("triton_old.txt")).values["requests_total:resnet50_trt"] == 4.0


class TestTorchServe:
    def test_requests_and_worker_load_time(self) -> None:
        """Labels end in a comma; the machine's memory is left alone."""
        now = reading(ServingKind.TORCHSERVE, page("torchserve.txt"))
        assert now.values["requests_total:resnet18"] == 3.0
        assert now.values["load_seconds:resnet18"] == pytest.approx(4.593)
        assert now.values["requests_failed_total"] == 0.0
        assert now.means["queue_seconds:resnet18"].total == pytest.approx(365.21e-6)
        assert not [name for name in now.values if "MemoryUsed" in name or name == "rss_bytes"]


class TestPrometheusClient:
    def test_the_counter_and_the_histogram_are_found_by_name(self) -> None:
        """Requests, failures by status and the latency of any application; resident memory is not taken from here."""
        now = reading(ServingKind.PROMETHEUS_CLIENT, page("prometheus_client.txt"))
        assert now.values["requests_total"] == 126.0
        assert now.values["requests_failed_total:503"] == 4.0
        assert now.values["requests_refused_total"] == 2.0
        assert now.values["open_fds"] == 12.0
        assert now.quantiles["latency_p95_seconds:/predict"].quantile(0.95) == pytest.approx(0.456, abs=0.001)
        assert "rss_bytes" not in now.values


def test_dcgm_tells_the_memory_of_gpus_in_bytes() -> None:
    """MiB become bytes, the total is what is used and free, and DCGM's blanks are no numbers."""
    text = page("dcgm.txt")
    gpu_0 = "GPU-f809e614-a528-4083-acbf-334600000000"
    assert gpu.read(read_page(text.encode(), gpu.WANTED)) == {
        f"gpu_used_bytes:{gpu_0}": 0.0,
        f"gpu_total_bytes:{gpu_0}": 7531 * 2.0**20,
    }
    busy = 'DCGM_FI_DEV_GPU_UTIL{gpu="0"} 87'
    assert gpu.read(read_page(busy.encode(), gpu.WANTED)) == {"gpu_use_ratio:0": pytest.approx(0.87)}
    blank = 'DCGM_FI_DEV_FB_USED{gpu="0"} 9223372036854775794'
    assert gpu.read(read_page(blank.encode(), gpu.WANTED)) == {}


@pytest.mark.parametrize("module", [tf_serving, triton, torchserve, prometheus_client])
def test_no_name_of_memory_is_wanted(module: object) -> None:
    """Memory of the container never comes from a server's page."""
    wanted = module.WANTED  # type: ignore[attr-defined]
    for name in (
        "process_resident_memory_bytes",
        "nv_cpu_memory_used_bytes",
        "MemoryUsed",
        "process_virtual_memory_bytes",
    ):
        assert name not in wanted
