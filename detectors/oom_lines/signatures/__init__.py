"""The signatures, a table a family. An earlier signature wins where two match the same text."""

from detectors.oom_lines.signature import Signature
from detectors.oom_lines.signatures.allocators import ALLOCATORS
from detectors.oom_lines.signatures.daemons import DAEMONS
from detectors.oom_lines.signatures.exits import EXITS
from detectors.oom_lines.signatures.gpu import GPU
from detectors.oom_lines.signatures.kernel import KERNEL
from detectors.oom_lines.signatures.kubernetes import KUBERNETES
from detectors.oom_lines.signatures.languages import LANGUAGES
from detectors.oom_lines.signatures.runtimes import RUNTIMES
from detectors.oom_lines.signatures.signals import SIGNALS
from detectors.oom_lines.signatures.tensorflow import SERVING, TENSORFLOW

SIGNATURES: tuple[Signature, ...] = (
    *KUBERNETES,  # first: they quote the kernel's lines
    *KERNEL,
    *RUNTIMES,
    *DAEMONS,
    *SERVING,  # before what they quote
    *GPU,
    *TENSORFLOW,
    *LANGUAGES,
    *ALLOCATORS,
    *SIGNALS,
    *EXITS,
)
