"""Many containers of a Prometheus server (or Thanos, Mimir, VictoriaMetrics), split into chunks.

Needs: scrapes of cAdvisor; of kube-state-metrics too for images and nodes that the containers' own series do not tell.
Asks little: one question at a time for each chunk, full series only of containers that could leak (`prefilter`), and
waits when it is told to (`asking`).
"""

from leakwatch.sample.prometheus_fleet.server import Server
from leakwatch.sample.prometheus_fleet.survey import survey

__all__ = ["Server", "survey"]
