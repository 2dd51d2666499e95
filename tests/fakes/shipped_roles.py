"""What the Roles that are shipped allow, as the fake API server takes it."""

from pathlib import Path

import yaml

RBAC = Path(__file__).parents[2] / "deploy" / "kubernetes" / "rbac"

Rule = tuple[str, str, str]


def rules_of(*rights: str) -> frozenset[Rule]:
    """Group, resource and verb of each thing that the Roles of these folders allow."""
    roles = [next(yaml.safe_load_all((RBAC / right / "role.yaml").read_text())) for right in rights]
    return frozenset(
        (group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    )
