"""One container watched for ever: samples in, what is true now out. No clock, no input or output."""

from detectors.live.detector import LiveDetector

__all__ = ["LiveDetector"]
