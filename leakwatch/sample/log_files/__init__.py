"""Logs as streams of bytes: files, rotated and compressed ones, pipes, /dev/kmsg; read once or followed for ever."""

from leakwatch.sample.log_files.chunks import read_log
from leakwatch.sample.log_files.dating import Dating, dated
from leakwatch.sample.log_files.find import STANDARD_INPUT, find_logs
from leakwatch.sample.log_files.follow import Chunk, Follower, follow_logs

__all__ = ["STANDARD_INPUT", "Chunk", "Dating", "Follower", "dated", "find_logs", "follow_logs", "read_log"]
