"""Stop a sweep cleanly: Ctrl-C, a SIGTERM of a batch system, or the end of its time."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

# Reasons, and exit codes by the shell's convention: 128 + signal, and that of `timeout`
ENDS = {
    signal.SIGINT: ("stopped", 130),
    signal.SIGTERM: ("stopped by SIGTERM", 143),
    signal.SIGHUP: ("stopped, for the terminal was closed", 129),
    signal.SIGALRM: ("stopped at the end of --time-budget", 124),
}


class Stopped(KeyboardInterrupt):
    """A sweep was asked to stop; finished work is recorded.

    Attributes
    ----------
    reason, exit_code
        Reason for the user, and exit code for the shell.
    """

    def __init__(self, signal_number: int) -> None:
        self.reason, self.exit_code = ENDS[signal.Signals(signal_number)]
        super().__init__(self.reason)


@contextlib.contextmanager
def stops_cleanly(time_budget_s: float = 0.0) -> Iterator[None]:
    """Turn signals and the end of the time budget into `Stopped`, raised once in the main thread.

    Parameters
    ----------
    time_budget_s
        Seconds from now; 0 for no limit. The kernel counts them, so clock jumps have no effect.
    """
    if threading.current_thread() is not threading.main_thread():
        # Python delivers signals only to the main thread
        yield
        return
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        # a second signal meets the default handlers and ends a stop that takes too long
        for one in ENDS:
            signal.signal(one, signal.SIG_DFL)
        received.append(number)
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in ENDS}
    signal.setitimer(signal.ITIMER_REAL, time_budget_s)
    try:
        yield
    except Stopped:
        raise
    except KeyboardInterrupt:
        # while Ray waits, it replaces a handler's exception by its own
        raise Stopped(received[0] if received else signal.SIGINT) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        for number, handler in before.items():
            signal.signal(number, handler)
