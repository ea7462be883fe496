"""Waiting for a condition; the tests never sleep for a guess."""
import time


class TimedOut(AssertionError):
    pass


def until(condition, what, seconds=20.0):
    """Calls `condition` until it answers something true, and returns that."""
    end = time.monotonic() + seconds
    pause = 0.005
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TimedOut(f"not within {seconds} s: {what}")
        time.sleep(pause)  # the interval of a poll, not a guess at a duration
        pause = min(pause * 1.5, 0.1)
