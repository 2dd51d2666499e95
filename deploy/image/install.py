"""Runs while the image is built: installs the wheels beside it into /out/opt/leakwatch, without an index or a shell.

What is installed and never used is left out: the test suites of numpy, scipy and pyarrow, and pyarrow's C++ headers,
its static libraries and its servers.
"""

import os
import pathlib
import shutil
import subprocess
import sys

WHEELS = pathlib.Path(__file__).parent
TARGET = pathlib.Path("/out/opt/leakwatch")
STATE = pathlib.Path("/out/var/lib/leakwatch")
UNUSED = (
    "numpy/**/tests",
    "scipy/**/tests",
    "pyarrow/tests",
    "pyarrow/include",
    "pyarrow/src",
    "pyarrow/libarrow_flight*",
    "pyarrow/libarrow_python_flight*",
    "pyarrow/_flight*",
    "pyarrow/**/*.pyx",
    "pyarrow/**/*.pxd",
)
PIP = (sys.executable, str(WHEELS / "pip.pyz" / "pip"), "install", "--no-index", f"--find-links={WHEELS}")
QUIET = ("--quiet", "--no-cache-dir", "--root-user-action=ignore", "--no-warn-script-location", f"--target={TARGET}")


def main() -> None:
    """The locked wheels with their hashes, then leakwatch itself, then what nobody needs goes."""
    subprocess.run([*PIP, *QUIET, "--require-hashes", "-r", str(WHEELS / "requirements.txt")], check=True)
    subprocess.run([*PIP, *QUIET, "--no-deps", "leakwatch-agent"], check=True)
    for pattern in UNUSED:
        for path in TARGET.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    STATE.mkdir(parents=True)
    os.chmod(STATE, 0o700)


if __name__ == "__main__":
    main()
