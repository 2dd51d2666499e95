"""What the agent was told to do: frozen values in seconds and bytes, each with its default (contracts.md section 5).

`leakwatch.settings.reading` makes them of flags, the environment and a YAML file, and reports every mistake at once.
"""

from leakwatch.settings.values import (
    ActSettings,
    AlertmanagerSettings,
    Approval,
    Backend,
    BudgetSettings,
    CgroupPlace,
    ConditionSettings,
    DockerPlace,
    EvidenceSettings,
    KubernetesPlace,
    MaintenanceWindow,
    PidPlace,
    Place,
    ProcessPlace,
    PrometheusPlace,
    ServingKind,
    ServingSettings,
    Settings,
    SlackSettings,
    TargetSettings,
    TellSettings,
    WebhookSettings,
)

__all__ = [
    "ActSettings",
    "AlertmanagerSettings",
    "Approval",
    "Backend",
    "BudgetSettings",
    "CgroupPlace",
    "ConditionSettings",
    "DockerPlace",
    "EvidenceSettings",
    "KubernetesPlace",
    "MaintenanceWindow",
    "PidPlace",
    "Place",
    "ProcessPlace",
    "PrometheusPlace",
    "ServingKind",
    "ServingSettings",
    "Settings",
    "SlackSettings",
    "TargetSettings",
    "TellSettings",
    "WebhookSettings",
]
