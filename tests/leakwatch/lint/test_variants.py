"""The other forms of what rules look for: each is found, with its words."""

from pathlib import Path

import pytest

from leakwatch.lint.check import lint

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: serving}
spec:
  replicas: 3
%s
  selector: {matchLabels: {app: serving}}
  template:
    metadata: {labels: {app: serving}}
    spec:
%s
      containers:
        - name: server
          image: tensorflow/serving:2.19.1
%s
"""
MONITORED = "[--monitoring_config_file=/c/monitoring.config%s]"


def deployment(of_spec: str = "", of_pod: str = "", of_container: str = "") -> str:
    """A deployment with lines added at three places."""

    def indented(text: str, by: int) -> str:
        return "\n".join(" " * by + line for line in text.splitlines())

    return DEPLOYMENT % (indented(of_spec, 2), indented(of_pod, 6), indented(of_container, 10))


def compose(lines: str, image: str = "tensorflow/serving:2.19.1") -> str:
    """A service with lines added."""
    return f"services:\n  serving:\n    image: {image}\n" + "".join(f"    {line}\n" for line in lines.splitlines())


def alert(expression: str, more: str = "for: 5m") -> str:
    """A rule file with one alert."""
    return f"groups:\n- name: a\n  rules:\n  - alert: A\n    {more}\n    expr: |\n      {expression}\n"


INSPECTED = """\
[{"Name": "/serving", "HostConfig": {"Memory": %s, "MemorySwap": %s, "OomKillDisable": %s, "NanoCpus": 2000000000},
  "Config": {"Image": "tensorflow/serving:2.19.1", "Cmd": ["--port=8500"],
             "Entrypoint": ["/usr/bin/tf_serving_entrypoint.sh"],
             "Env": ["OMP_NUM_THREADS=4"], "ExposedPorts": {"8500/tcp": {}}},
  "Mounts": [{"Source": "/srv/models", "Destination": "/models", "RW": true}]}]
"""

VARIANTS = [
    ("replicas-on-one-node", deployment("", "nodeName: node-7"), "nodeName node-7"),
    ("replicas-on-one-node", deployment("", "nodeSelector: {kubernetes.io/hostname: node-7}"), "nodeSelector"),
    (
        "replicas-on-one-node",
        deployment(
            "",
            "affinity:\n  podAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n"
            "    - topologyKey: kubernetes.io/hostname\n      labelSelector: {matchLabels: {app: serving}}",
        ),
        "podAffinity to itself",
    ),
    (
        "replicas-on-one-node",
        deployment(
            "",
            "affinity:\n  nodeAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n      "
            "nodeSelectorTerms:\n      - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: "
            "[node-7]}]",
        ),
        "nodeAffinity to one",
    ),
    (
        "rollout-all-at-once",
        deployment("strategy: {rollingUpdate: {maxUnavailable: 100%}}"),
        "maxUnavailable 100% lets a rollout stop all 3 replicas",
    ),
    ("swap", compose("mem_limit: 8g\nmemswap_limit: -1"), "may swap without bound"),
    ("swap", compose("mem_limit: 8g\nmem_swappiness: 60"), "mem_swappiness 60"),
    ("swap", INSPECTED % (4 * 2**30, 8 * 2**30, "false"), "may swap 4 GiB beyond its limit"),
    ("no-memory-limit", INSPECTED % (0, 0, "false"), "TF Serving 'serving' has no memory limit"),
    ("oom-killer-off", INSPECTED % (2**30, 2**30, "true"), "OomKillDisable"),
    ("openmp-threads", INSPECTED % (2**30, 2**30, "false"), "OMP_NUM_THREADS changes nothing"),
    ("shared-memory-size", compose("mem_limit: 8g\ntmpfs: /scratch"), "tmpfs '/scratch' has no size="),
    ("memory-size-unreadable", compose("mem_limit: lots"), "'lots' is no size that compose reads"),
    ("memory-unit", compose("mem_limit: 512"), "512 is 512 bytes; 512m is meant"),
    (
        "memory-volume",
        deployment(
            "",
            "volumes: [{name: shm, emptyDir: {medium: Memory, sizeLimit: 6Gi}}]",
            "resources: {limits: {memory: 8Gi}}\nvolumeMounts: [{name: shm, mountPath: /dev/shm}]",
        ),
        "may take 6 GiB of the limit of 8 GiB",
    ),
    (
        "env-not-read",
        compose("mem_limit: 8g\nenvironment: [MODEL_CONFIG_FILE=/models/models.config]"),
        "the flag --model_config_file",
    ),
    (
        "env-not-read",
        compose("mem_limit: 8g\nenvironment:\n  TF_SERVING_MEMORY_FRACTION: 0.8\n  A: b"),
        "changes nothing",
    ),
    ("flag-without-equals", compose('command: ["--rest_api_port", "8501"]'), "write --rest_api_port=8501"),
    ("flag-without-equals", compose("command: --enable_batching false"), "means true whatever follows"),
    ("flag-value", compose('command: ["--port=http"]'), "takes a whole number"),
    ("flag-value", compose('command: ["--per_process_gpu_memory_fraction=90"]'), "is a share from 0 to 1"),
    ("unknown-flag", compose('command: ["--total_model_memory_limit=8g"]'), "no flag bounds the memory of models"),
    ("unknown-flag", compose('command: ["-port=8500"]'), "--port is meant"),
    (
        "flags-conflict",
        compose('command: ["--platform_config_file=/c/p", "--enable_batching"]'),
        "--enable_batching is ignored beside --platform_config_file",
    ),
    ("flags-conflict", compose('command: ["--model_config_file=/c/m", "--model_name=a"]'), "--model_name is ignored"),
    (
        "flags-conflict",
        compose('command: ["--port=8501"]\nentrypoint: [tensorflow_model_server, --rest_api_port=8501]'),
        "cannot share",
    ),
    ("threads-over-cpus", deployment("", "", "resources: {limits: {memory: 8Gi, cpu: 4}}"), "is a quota"),
    (
        "liveness-on-status",
        deployment("", "", "livenessProbe: {exec: {command: [curl, -f, 'localhost:8501/v1/models/a']}}"),
        "200 in any",
    ),
    (
        "probe-port-closed",
        deployment("", "", "ports: [{name: m, containerPort: 8502}]\nlivenessProbe: {httpGet: {port: m}}"),
        "8502",
    ),
    ("prestop-outlives-grace", deployment("", "", "lifecycle: {preStop: {sleep: {seconds: 30}}}"), "(the default)"),
    (
        "grace-period-wasted",
        deployment(
            "", "terminationGracePeriodSeconds: 120", "command: [sh, -c, 'exec tensorflow_model_server --port=8500']"
        ),
        "2 min",
    ),
    (
        "metric-never-exported",
        alert("tensorflow_serving_request_latency_bucket > 1"),
        "it is :tensorflow:serving:request_latency_bucket",
    ),
    ("metric-never-exported", alert("tensorflow_serving:batch_size > 1"), "batching_session:processed_batch_size"),
    ("metric-never-exported", alert("tensorflow:core:graph_runs > 1"), ":tensorflow:core:graph_runs"),
    (
        "metric-never-exported",
        alert(":tensorflow:serving:memory_bytes > 1"),
        "exports no :tensorflow:serving:memory_bytes",
    ),
    ("limit-may-be-zero", alert("a / on (pod) group_left () container_spec_memory_limit_bytes > 0.9"), "+Inf"),
    ("limit-may-be-zero", alert("sum(a) by (x) / sum by (x) (container_spec_memory_limit_bytes) > 0.9"), "+Inf"),
    ("exit-137-is-not-oom", alert('a{exit_code="137"} > 0', "annotations: {summary: OOM kill}"), "137 is any SIGKILL"),
    ("base-path-flag", compose("command: --model_base_path=models/a"), "is relative"),
    (
        "scrape-job",
        "scrape_configs:\n- job_name: tensorflow\n  static_configs: [{targets: ['s:8502']}]\n",
        "no monitoring port",
    ),
    (
        "monitor-path",
        deployment("", "", f"args: {MONITORED % ''}")
        + "---\napiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {name: a}\nspec:\n"
        "  selector: {matchLabels: {app: serving}}\n  podMetricsEndpoints: [{targetPort: 8502, path: "
        "/monitoring/prometheus/metrics}]\n",
        "asks port 8502",
    ),
    (
        "scrape-annotation",
        deployment("", "", "").replace(
            "metadata: {labels: {app: serving}}",
            "metadata:\n      labels: {app: serving}\n      annotations: {prometheus.io/scrape: 'true', "
            "prometheus.io/port: '8502'}",
        ),
        "Prometheus would ask port 8502",
    ),
    (
        "json-model-config",
        '{"model_config_list": [{"config": {"name": "a", "base_path": "/models/a"}}]}',
        "reads text protobuf only",
    ),
    (
        "model-config-refused",
        "model_config_list:\n  config:\n    - name: a\n      base_path: /models/a\n",
        "this is YAML",
    ),
    ("model-config-refused", 'model_config_list { config { name: "a" ', "is not closed"),
    (
        "model-entry",
        'model_config_list { config { name: "a" base_path: "m" model_platform: "tensorflow" } }',
        "is relative",
    ),
    (
        "model-entry",
        "model_config_list {\n" + '  config { name: "a" base_path: "/m" model_platform: "tensorflow" }\n' * 2 + "}\n",
        "stands there twice (first on line 2)",
    ),
    (
        "many-versions",
        'model_config_list { config { name: "a" base_path: "/m" model_platform: "tensorflow" '
        "model_version_policy { specific { versions: [1, 2, 3] } } } }",
        "keeps 3",
    ),
    ("batching-wrapper", "max_batch_size { value: 8 }\nallowed_batch_sizes { value: 8 }\n", "is a plain field"),
    ("batching-queue", "max_enqueued_batches { value: 1000000 }\n", "1,000,000 batches of 1,000 rows"),
    (
        "allowed-batch-sizes",
        "max_batch_size { value: 8 }\nallowed_batch_sizes: 8\nallowed_batch_sizes: 4\n",
        "must rise",
    ),
    ("monitoring-disabled", "prometheus_config { enable: false }\n", "without enable: true"),
    ("monitoring-refused", "prometheus_config { enable: 7 }\n", "no monitoring configuration"),
    ("image-latest", deployment().replace(":2.19.1", ""), "no tag, so latest"),
    (
        "image-known-fault",
        deployment("", "nodeSelector: {kubernetes.io/arch: arm64}").replace("2.19.1", "2.7.0"),
        "on arm64",
    ),
    (
        "tcmalloc-crash",
        compose("environment: [LD_PRELOAD=/usr/lib/libtcmalloc.so]", "tensorflow/serving:latest"),
        "segfaults",
    ),
    (
        "allocator-settings",
        compose("environment: [LD_PRELOAD=/l/libjemalloc.so.2, MALLOC_ARENA_MAX=2]"),
        "runs on jemalloc",
    ),
    (
        "pdb-blocks-drain",
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {maxUnavailable: 0}\n",
        "no pod may ever",
    ),
    (
        "hpa-on-memory",
        "apiVersion: autoscaling/v2beta1\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec:\n  maxReplicas: 5\n"
        "  scaleTargetRef: {kind: Deployment, name: elsewhere}\n"
        "  metrics: [{type: Resource, resource: {name: memory, targetAverageUtilization: 80}}]\n",
        "of a model server does not fall",
    ),
]


@pytest.mark.parametrize(
    ("rule", "text", "says"), VARIANTS, ids=[f"{rule}-{i}" for i, (rule, _, _) in enumerate(VARIANTS)]
)
def test_it_is_found_in_this_form_too(rule: str, text: str, says: str, tmp_path: Path) -> None:
    """The rule fires, and its sentence has what is particular about the form."""
    (tmp_path / "input.yaml").write_text(text)
    report = lint([str(tmp_path)])
    assert not report.errors
    messages = [one.message for one in report.findings if one.rule == rule]
    assert any(says in message for message in messages), (messages, report.findings)


FINE = [
    alert("sum(a) by (x) / sum(container_spec_memory_limit_bytes > 0) by (x) > 0.8"),
    alert("container_spec_memory_limit_bytes / 1e9 > 64"),
    alert('leakwatch_verdict{job="tensorflow_serving:request_count"} == 1'),
    "groups:\n- name: a\n  rules:\n  - record: tensorflow_serving:errors\n    expr: a\n"
    + "  - alert: B\n    expr: tensorflow_serving:errors > 1\n",
    compose(
        "mem_limit: 8g\nmemswap_limit: 8g\n"
        'command: ["--monitoring_config_file=/c/m", "--port=${PORT}", "--rest_api_port=${REST}"]'
    ),
    compose("build: .\nmem_limit: 512m\nenvironment: [TF_SERVING_URL=http://tf:8501]", "example/client:1.0"),
    "apiVersion: v1\nkind: List\nitems: []\n",
    "- just\n- a list\n",
]


@pytest.mark.parametrize("text", FINE)
def test_what_is_fine_is_left_alone(text: str, tmp_path: Path) -> None:
    """Forms that resemble a fault and are none."""
    (tmp_path / "input.yaml").write_text(text)
    assert [(one.rule, one.message) for one in lint([str(tmp_path)]).findings] == []
