"""The manifests render, and every object fits the API's schemas of several Kubernetes versions."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from leakwatch.settings import KubernetesPlace
from leakwatch.settings.reading import load

DEPLOY = Path(__file__).parents[2] / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
VERSIONS = ("1.29", "1.31", "1.33", "1.35", "1.37")
SIDECARS = ("sidecar", "sidecar-plain")
RIGHTS = sorted(path.name for path in (KUBERNETES / "rbac").iterdir())


def rendered(folder: Path) -> list[dict[str, Any]]:
    """What ``kubectl kustomize`` makes of a folder."""
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl")
    run = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return [document for document in yaml.safe_load_all(run.stdout) if document]


def fits(document: dict[str, Any], version: str) -> None:
    import kubernetes_validate

    kubernetes_validate.validate(document, version, strict=True)


def raw_objects() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every whole object that lies in the folder: no patches, no kustomizations, no settings of ours."""
    for path in sorted(KUBERNETES.rglob("*.yaml")):
        if path.name in ("kustomization.yaml", "patch.yaml", "agent.yaml"):
            continue
        for document in yaml.safe_load_all(path.read_text()):
            yield path, document


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_fits_the_schemas(version: str) -> None:
    """Without kubectl as well: what is applied as it lies there is valid, unknown fields included."""
    for _, document in raw_objects():
        fits(document, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_example_renders_and_fits(version: str) -> None:
    """A TensorFlow Serving with the sidecar, its rights and its policy."""
    documents = rendered(KUBERNETES / "example")
    for document in documents:
        fits(document, version)
    (serving,) = (one for one in documents if one["kind"] == "Deployment")
    pod = serving["spec"]["template"]["spec"]
    (sidecar,) = pod["initContainers"]
    assert (sidecar["name"], sidecar["restartPolicy"], pod["shareProcessNamespace"]) == ("leakwatch", "Always", True)


@pytest.mark.parametrize("sidecar", SIDECARS)
def test_the_sidecar_is_confined(sidecar: str, tmp_path: Path) -> None:
    """Either form runs as nobody, with nothing to write to but its volumes, no capability and the default seccomp."""
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    example = tmp_path / "kubernetes" / "example" / "kustomization.yaml"
    example.write_text(example.read_text().replace("../sidecar\n", f"../{sidecar}\n"))
    (serving,) = (one for one in rendered(example.parent) if one["kind"] == "Deployment")
    pod = serving["spec"]["template"]["spec"]
    (container,) = (one for one in (*pod.get("initContainers", ()), *pod["containers"]) if one["name"] == "leakwatch")
    context = container["securityContext"]
    assert context["runAsUser"] == 65532
    assert context["runAsNonRoot"] and context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert {probe for probe in container if probe.endswith("Probe")} == {
        "startupProbe",
        "livenessProbe",
        "readinessProbe",
    }
    assert set(container["resources"]) == {"requests", "limits"}
    fits(serving, "1.37")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("form", ["cluster", "node"])
def test_agents_outside_of_the_pods_render_and_fit(form: str, version: str) -> None:
    """One for the cluster with a second that waits, one a node: confined as the sidecar is, no path of the host."""
    documents = rendered(KUBERNETES / form)
    for document in documents:
        fits(document, version)
    (workload,) = (one for one in documents if one["kind"] in ("Deployment", "DaemonSet"))
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] and container["securityContext"]["runAsUser"] == 65532
    assert not any("hostPath" in volume for volume in pod["volumes"])
    assert {one["name"] for one in container["env"]} >= {"NODE_NAME"}
    (account,) = (one for one in documents if one["kind"] == "ServiceAccount")
    for binding in (one for one in documents if one["kind"].endswith("RoleBinding")):
        (subject,) = binding["subjects"]
        assert (subject["name"], subject["namespace"]) == (pod["serviceAccountName"], account["metadata"]["namespace"])


@pytest.mark.parametrize("right", RIGHTS)
def test_rights_are_least(right: str) -> None:
    """Each capability is a Role of its own: no wildcard, nothing cluster-wide, no deleting, no secrets, no exec."""
    role, binding = yaml.safe_load_all((KUBERNETES / "rbac" / right / "role.yaml").read_text())
    assert (role["kind"], binding["kind"], binding["roleRef"]["name"]) == ("Role", "RoleBinding", f"leakwatch-{right}")
    for rule in role["rules"]:
        assert "*" not in (*rule["verbs"], *rule["resources"], *rule["apiGroups"])
        assert not {"delete", "deletecollection", "impersonate", "escalate", "bind"} & set(rule["verbs"])
        assert not {"secrets", "pods/exec", "nodes/proxy"} & set(rule["resources"])
        if right == "observe":
            assert set(rule["verbs"]) <= {"get", "list", "watch"}


def test_settings_in_the_manifests_are_read_without_a_mistake() -> None:
    """Every agent.yaml that is shipped starts an agent, and none of them acts."""
    for path in sorted(DEPLOY.rglob("agent.yaml")):
        settings = load(str(path), {}, {}).settings
        assert settings.act.dry_run, path
        assert settings.targets, path


def test_the_unit_is_understood_by_systemd() -> None:
    """systemd knows every line of the unit, and confines it."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze (Debian: systemd)")
    unit = DEPLOY / "systemd" / "leakwatch.service"
    run = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    complaints = [
        line for line in run.stderr.splitlines() if "leakwatch.service" in line and "not executable" not in line
    ]
    assert not complaints


def test_the_compose_file_is_understood_by_docker() -> None:
    """Docker's own reading of it; and the agent's settings stand beside it."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode
    ):
        pytest.skip("needs docker compose (Debian: docker-compose)")
    run = subprocess.run(
        ["docker", "compose", "-f", str(DEPLOY / "compose" / "docker-compose.yml"), "config", "--quiet"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr


def test_the_leaders_lease_is_the_one_that_its_settings_name() -> None:
    """Written and renewed by name alone; the Role and the settings name the same."""
    lease = load(str(KUBERNETES / "cluster" / "agent.yaml"), {}, {}).settings.leader_lease
    role, _ = yaml.safe_load_all((KUBERNETES / "cluster" / "leader.yaml").read_text())
    named, created = role["rules"]
    assert lease is not None and named["resourceNames"] == [f"leakwatch-{lease.name}"]
    assert (named["verbs"], created["verbs"]) == (["get", "update"], ["create"])
    assert yaml.safe_load((KUBERNETES / "cluster" / "kustomization.yaml").read_text())["namespace"] == lease.namespace


def test_an_agent_of_a_node_watches_that_node_alone() -> None:
    """Its settings say so, and its one right beyond the namespace is to read the kubelet's numbers."""
    (target,) = load(str(KUBERNETES / "node" / "agent.yaml"), {}, {}).settings.targets
    assert isinstance(target.place, KubernetesPlace) and target.place.this_node
    role, _ = yaml.safe_load_all((KUBERNETES / "node" / "kubelet.yaml").read_text())
    assert role["rules"] == [{"apiGroups": [""], "resources": ["nodes/stats"], "verbs": ["get"]}]
