"""leakwatch: is this container leaking, and what do we do about it before it is killed?"""

__version__ = "0.1.0"
