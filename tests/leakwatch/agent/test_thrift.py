import subprocess
import sys

FROM_MANY_THREADS = """
import sys, threading
from leakwatch.agent.thrift import encrypt_later

encrypt_later()
import http.client
assert "_ssl" not in sys.modules, "http.client has loaded it"

together, failed = threading.Barrier(8), []

def use(number):
    together.wait()
    try:
        if number % 2:
            from ssl import SSLContext
        http.client.HTTPSConnection("127.0.0.1", 9)
    except BaseException as error:
        failed.append(error)

threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert not failed, failed
import ssl, urllib3
assert "_ssl" in sys.modules and http.client.ssl.SSLError is ssl.SSLError
"""


def test_encryption_is_loaded_once_somebody_encrypts_and_whole_for_everybody() -> None:
    """http.client alone does not load it; eight threads that need it at once get all of it."""
    done = subprocess.run([sys.executable, "-c", FROM_MANY_THREADS], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
