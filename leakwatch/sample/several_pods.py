"""The pods that a target stands for, each as a target of its own: asked once a minute, beside the samples."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from leakwatch.errors import SourceError
from leakwatch.settings import POD_IP, KubernetesPlace, Place, PrometheusPlace, ServingSettings, TargetSettings

PodPlace = KubernetesPlace | PrometheusPlace


def may_be_several(place: Place) -> bool:
    """Whether a place can name more than one pod."""
    return isinstance(place, KubernetesPlace | PrometheusPlace) and place.pod is None


def places_of(place: PodPlace) -> Sequence[PodPlace]:
    """A place with a pod for each that runs now, in the order of names; empty where there is none.

    Raises:
        SourceError: no answer, or no right.
    """
    found = _of_server(place) if isinstance(place, PrometheusPlace) else _of_cluster(place)
    return sorted(found, key=lambda one: (str(one.namespace), str(one.pod)))


def at_pod(target: TargetSettings, place: PodPlace | None, name: str | None = None) -> TargetSettings:
    """The target as it is watched at one of its pods, with that pod's page; None: no pod is known now.

    Args:
        name: the pod is one of several, and this is what it is called; None: it is the only one, and the target stays
            the target. A page whose address is the same for all pods is nobody's then: whose requests does it count?
    """
    ip = getattr(place, "pod_ip", None)
    page = target.serving
    if page is not None and has_pages_of_pods(target):
        page = None if ip is None else _page_at(page, f"[{ip}]" if ":" in ip else ip)
    elif name is not None:
        page = None
    if name is None or place is None:
        return replace(target, serving=page)
    return replace(target, name=name, place=place, serving=page)


def has_pages_of_pods(target: TargetSettings) -> bool:
    """Whether each pod has a page of its own."""
    return target.serving is not None and POD_IP in target.serving.metrics_url


def _page_at(page: ServingSettings, host: str) -> ServingSettings:
    others = (page.status_url, page.grpc_address, page.gpu_metrics_url)
    status, grpc, gpus = (one and one.replace(POD_IP, host) for one in others)
    url = page.metrics_url.replace(POD_IP, host)
    return replace(page, metrics_url=url, status_url=status, grpc_address=grpc, gpu_metrics_url=gpus)


def _of_cluster(place: KubernetesPlace) -> Sequence[KubernetesPlace]:
    from leakwatch.sample.pods.api import NAME, Api
    from leakwatch.sample.pods.choose import ChosenPod

    api = Api()
    try:
        running = [pod for pod in ChosenPod(api, place).all() if pod["status"].get("phase") == "Running"]
        return [_place_of(pod, place) for pod in running]
    except (LookupError, TypeError, AttributeError) as error:
        what = f"an answer is none of Kubernetes' ({type(error).__name__})"
        raise SourceError(NAME, what, "check the address in the kubeconfig") from None
    finally:
        api.close()


def _place_of(pod: Mapping[str, Any], place: KubernetesPlace) -> KubernetesPlace:
    ip = pod["status"].get("podIP")
    name = str(pod["metadata"]["name"])
    return KubernetesPlace(place.namespace, place.container, pod=name, pod_ip=None if ip is None else str(ip))


def _of_server(place: PrometheusPlace) -> Sequence[PrometheusPlace]:
    from leakwatch.sample.prometheus_server import PrometheusSource

    source = PrometheusSource(place)
    try:
        return [replace(place, namespace=namespace, pod=pod) for namespace, pod in source.pods()]
    finally:
        source.close()
