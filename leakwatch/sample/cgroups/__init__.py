"""The memory of a container as the kernel accounts it: control groups, versions 1 and 2."""
