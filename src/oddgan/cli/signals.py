"""Signals that end a command as Ctrl-C does: what is half-written is removed, and the exit code is 128 + the signal."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


class Interrupt(KeyboardInterrupt):
    """A signal that ends the command.

    A class of its own, since a plain KeyboardInterrupt that leaves the `exec` of a text, as in the making of a
    dataclass, lets CPython end by SIGINT later, whatever the exit code.
    """


class Stop:
    """The exit code of an interrupted command.

    Parameters
    ----------
    code : 130 for Ctrl-C, 143 for SIGTERM, 129 for a terminal that was closed.
    """

    def __init__(self) -> None:
        self.code = 128 + signal.SIGINT

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Interrupt the command; but for Ctrl-C, the same signal is ignored from now on, so that it can clean up."""
        del frame
        if number != signal.SIGINT:
            signal.signal(number, signal.SIG_IGN)
        self.code = 128 + number
        raise Interrupt


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Turn the signals that end a process into KeyboardInterrupt within the block; those that are ignored stay so."""
    stop, before = Stop(), {}
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            if signal.getsignal(number) in _DEFAULTS:
                before[number] = signal.signal(number, stop.handle)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
