"""The pods that a place stands for, each as a place of its own: asked once a minute, beside the samples."""

from collections.abc import Sequence
from dataclasses import replace

from leakwatch.errors import SourceError
from leakwatch.settings import KubernetesPlace, Place, PrometheusPlace

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


def _of_cluster(place: KubernetesPlace) -> Sequence[KubernetesPlace]:
    from leakwatch.sample.pods.api import NAME, Api
    from leakwatch.sample.pods.choose import ChosenPod

    api = Api()
    try:
        running = [pod for pod in ChosenPod(api, place).all() if pod["status"].get("phase") == "Running"]
        return [KubernetesPlace(place.namespace, place.container, pod=str(pod["metadata"]["name"])) for pod in running]
    except (LookupError, TypeError, AttributeError) as error:
        what = f"an answer is none of Kubernetes' ({type(error).__name__})"
        raise SourceError(NAME, what, "check the address in the kubeconfig") from None
    finally:
        api.close()


def _of_server(place: PrometheusPlace) -> Sequence[PrometheusPlace]:
    from leakwatch.sample.prometheus_server import PrometheusSource

    source = PrometheusSource(place)
    try:
        return [replace(place, namespace=namespace, pod=pod) for namespace, pod in source.pods()]
    finally:
        source.close()
