"""Files of one run belong together: who reads which configuration, whose model lies where, what a patch adds."""

from pathlib import Path

import pytest

from leakwatch.findings import Finding
from leakwatch.lint.check import lint

SERVING = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: serving}
spec:
  selector: {matchLabels: {app: serving}}
  template:
    metadata: {labels: {app: serving}}
    spec:
      containers:
        - name: server
          image: tensorflow/serving:2.19.1
          args:
            - --model_config_file=/etc/serving/models.config
            - --monitoring_config_file=/etc/serving/monitoring.config
          resources: {limits: {memory: 25Mi}}
          readinessProbe: {tcpSocket: {port: 8501}}
"""
MODELS = """\
model_config_list {
  config { name: "a" base_path: "/models/a" model_platform: "tensorflow" }
  config { name: "b" base_path: "/models/b" model_platform: "tensorflow" %s }
}
"""


def put(folder: Path, **files: str | int) -> Path:
    """Write files by path, with ``__`` for a slash and ``_dot_`` for a dot; a number is a file of so many MiB."""
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else b"\1" * (content * 2**20))
    return folder


def found(folder: Path, rule: str) -> list[Finding]:
    """The findings of one rule in a folder."""
    report = lint([str(folder)])
    assert not report.errors
    return [one for one in report.findings if one.rule == rule]


MODEL_FILES = {
    "models__a__1__saved_model_dot_pb": 4,
    "models__a__2__saved_model_dot_pb": 5,
    "models__b__1__saved_model_dot_pb": 10,
}


def test_a_limit_is_held_against_all_models_and_the_largest_swap(tmp_path: Path) -> None:
    """5 and 10 MiB resident, and 10 more while b is swapped: 25 fit; every version of a needs 4 more."""
    put(tmp_path, serving_dot_yaml=SERVING, config__models_dot_config=MODELS % "", **MODEL_FILES)
    assert found(tmp_path, "limit-under-two-models") == []
    put(tmp_path, serving_dot_yaml=SERVING.replace("25Mi", "24Mi"))
    [finding] = found(tmp_path, "limit-under-two-models")
    assert "holds no swap of 'b'" in finding.message and "at least 25 MiB" in finding.message
    put(tmp_path, serving_dot_yaml=SERVING.replace("25Mi", "28Mi"))
    all_of_a = MODELS.replace(
        '"tensorflow" }\n  config { name: "b"', '"tensorflow" model_version_policy { all {} } }\n  config { name: "b"'
    )
    put(tmp_path, config__models_dot_config=all_of_a % "")
    assert "at least 29 MiB" in found(tmp_path, "limit-under-two-models")[0].message


def test_no_swap_no_second_version(tmp_path: Path) -> None:
    """A server that never looks for versions again holds each model once."""
    once = SERVING.replace("args:", "args:\n            - --file_system_poll_wait_seconds=0").replace("25Mi", "16Mi")
    put(tmp_path, serving_dot_yaml=once, config__models_dot_config=MODELS % "", **MODEL_FILES)
    assert found(tmp_path, "limit-under-two-models") == []


def test_a_compose_mount_leads_to_the_model(tmp_path: Path) -> None:
    """The path on the host is measured, also where the compose file is named alone."""
    compose = """\
services:
  serving:
    image: tensorflow/serving:2.19.1
    mem_limit: 15m
    environment: [MODEL_NAME=b]
    volumes: ["./models:/models:ro"]
"""
    put(tmp_path, compose_dot_yaml=compose, **MODEL_FILES)
    report = lint([str(tmp_path / "compose.yaml")])
    [finding] = [one for one in report.findings if one.rule == "limit-under-two-models"]
    assert "at least 20 MiB" in finding.message and finding.line == 4


def test_the_path_of_the_page_comes_from_the_monitoring_file(tmp_path: Path) -> None:
    """An annotation is held against the path that the server is told to use, not against the default."""
    scraped = SERVING.replace(
        "metadata: {labels: {app: serving}}",
        "metadata:\n      labels: {app: serving}\n      annotations:\n        prometheus.io/scrape: 'true'\n"
        "        prometheus.io/path: /metrics",
    )
    put(tmp_path, serving_dot_yaml=scraped)
    assert "the page is /monitoring/prometheus/metrics" in found(tmp_path, "scrape-annotation")[0].message
    put(tmp_path, monitoring_dot_config='prometheus_config { enable: true path: "/metrics" }\n')
    assert found(tmp_path, "scrape-annotation") == []


def test_a_configuration_inside_a_config_map_has_the_lines_of_its_file(tmp_path: Path) -> None:
    """Findings and fixes point into the manifest, with its indentation."""
    config_map = """\
kind: ConfigMap
apiVersion: v1
metadata: {name: a}
data:
  batching.config: |
    # online
    max_batch_size: 8
    num_batch_threads { value: 2 }
"""
    put(tmp_path, a_dot_yaml=config_map)
    [finding] = found(tmp_path, "batching-wrapper")
    assert finding.line == 7
    assert finding.fix is not None and "+    max_batch_size { value: 8 }\n" in finding.fix


@pytest.mark.parametrize(
    "quoted",
    [
        "'max_batch_size: 8\n\n    num_batch_threads { value: 2 }'",
        '"max_batch_size: 8\\nnum_batch_threads { value: 2 }"',
    ],
)
def test_a_quoted_configuration_has_one_line_and_no_fix(quoted: str, tmp_path: Path) -> None:
    """Where lines of the text are no lines of the file, the finding stands at its key and nothing is mended."""
    put(tmp_path, a_dot_yaml=f"kind: ConfigMap\napiVersion: v1\nmetadata: {{name: a}}\ndata:\n  b: {quoted}\n")
    [finding] = found(tmp_path, "batching-wrapper")
    assert (finding.line, finding.fix) == (5, None)


def test_a_patch_may_bring_the_limit_and_a_kustomization_the_tag(tmp_path: Path) -> None:
    """What an overlay in the same run adds is not missing in the base."""
    base = SERVING.replace("          resources: {limits: {memory: 25Mi}}\n", "").replace(":2.19.1", "")
    patch = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: serving}
spec: {template: {spec: {containers: [{name: server, resources: {limits: {memory: 8Gi}}}]}}}
"""
    put(tmp_path, base__serving_dot_yaml=base)
    assert found(tmp_path, "no-memory-limit") and found(tmp_path, "image-latest")
    put(tmp_path, overlay__patch_dot_yaml=patch)
    put(tmp_path, overlay__kustomization_dot_yaml="images:\n  - name: tensorflow/serving\n    newTag: 2.19.1\n")
    assert found(tmp_path, "no-memory-limit") == found(tmp_path, "image-latest") == []


def test_a_limit_range_limits(tmp_path: Path) -> None:
    """A namespace's default is a limit, in that namespace."""
    base = SERVING.replace("          resources: {limits: {memory: 25Mi}}\n", "").replace(
        "{name: serving}", "{name: serving, namespace: ml}", 1
    )
    limits = """\
apiVersion: v1
kind: LimitRange
metadata: {name: a, namespace: %s}
spec: {limits: [{type: Container, default: {memory: 4Gi}}]}
"""
    put(tmp_path, a_dot_yaml=base, b_dot_yaml=limits % "web")
    assert len(found(tmp_path, "no-memory-limit")) == 1
    put(tmp_path, b_dot_yaml=limits % "ml")
    assert found(tmp_path, "no-memory-limit") == []


def test_containers_that_are_no_servers_share_a_finding(tmp_path: Path) -> None:
    """Three services without a limit are one finding that names them; a model server has its own."""
    services = "  db: {image: 'pg:1'}\n  tf: {image: 'tensorflow/serving:2.19.1'}\n  web: {image: 'web:1'}\n"
    put(tmp_path, c_dot_yaml=f"services:\n{services}")
    messages = [(one.line, one.severity, one.message) for one in found(tmp_path, "no-memory-limit")]
    assert [(line, str(severity)) for line, severity, _ in messages] == [(2, "warning"), (3, "error")]
    assert "containers db and web have" in messages[0][2]


def test_a_fix_shows_no_secret_beside_it(tmp_path: Path) -> None:
    """Lines around a change that look like a secret are left out of the diff, which still says where it belongs."""
    compose = """\
services:
  web:
    image: web:1
    environment:
      DB_PASSWORD: hunter2
    mem_limit: 512
    restart: always
"""
    put(tmp_path, c_dot_yaml=compose)
    [finding] = found(tmp_path, "memory-unit")
    assert finding.fix is not None and "hunter2" not in finding.fix
    assert "@@ -6 +6 @@" in finding.fix and "+    mem_limit: 512m" in finding.fix


def test_docker_run_is_read_as_docker_reads_it(tmp_path: Path) -> None:
    """Options, mounts, environment and the server's own flags after the image, over continued lines."""
    script = """\
#!/bin/sh
sudo docker run -dit --name tf \\
  --mount type=bind,source=/srv/b/7,target=/models/b \\
  -eMODEL_NAME=b -m=512 --memory-swap -1 \\
  tensorflow/serving:2.19.1 --enable_batching false &
"""
    put(tmp_path, run_dot_sh=script)
    report = lint([str(tmp_path)])
    lines = {one.rule: one.line for one in report.findings}
    assert lines["version-mounted-as-model"] == 3
    assert lines["swap"] == 4
    assert lines["flag-without-equals"] == 5
    assert "no-memory-limit" not in lines


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("tf-serving.service", "[Service]\nExecStart=/usr/bin/tensorflow_model_server --prot=8500\n", 2),
        ("Makefile", "serve:\n\tdocker run -m 8g tensorflow/serving:2.19.1 --prot=8500\n", 2),
        ("start", "A=1\nexec tensorflow_model_server \\\n  --prot=8500\n", 3),
        ("README.md", "    docker run tensorflow/serving:2.19.1 --prot=8500\n", None),
    ],
)
def test_command_lines_are_found_by_how_they_begin(name: str, text: str, line: int | None, tmp_path: Path) -> None:
    """In units, Makefiles and scripts without a first line; what a document quotes is left alone."""
    (tmp_path / name).write_text(text)
    assert [one.line for one in found(tmp_path, "unknown-flag")] == ([] if line is None else [line])
