"""Containers of pods, as the cluster's API server and the nodes' kubelets tell of them."""
