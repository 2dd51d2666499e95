"""What a process was started with: its command line and its environment, as they are."""

from leakwatch.sample.kernel_folder import KernelFolder


def arguments_of(pid: int) -> tuple[str, ...]:
    """The command line as it is, the program first; empty for a zombie. Raises OSError."""
    return tuple(_text(pid, "cmdline").split("\0")[:-1])


def environment_of(pid: int) -> dict[str, str]:
    """The environment as it is, secrets and all. Raises OSError."""
    pairs = (line.partition("=") for line in _text(pid, "environ").split("\0") if line)
    return {name: value for name, _, value in pairs}


def _text(pid: int, name: str) -> str:
    folder = KernelFolder(f"/proc/{pid}")
    try:
        return folder.text(name)
    finally:
        folder.close()
