"""The memory of a process and its children, from /proc."""
