"""Many containers at once: chunks of them judged by a pool of workers, groups of replicas judged together."""
