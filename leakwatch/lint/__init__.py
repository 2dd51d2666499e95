"""Deployment, configuration and alert rules: what will eat memory, get a pod killed, or hide it, before it runs."""
