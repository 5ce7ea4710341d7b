"""Notice at once when a part of this machine's Ray dies; Ray itself exits in silence, or waits."""

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from ray._private import ray_constants

# of Ray, which brings it along
from ray._private.utils import psutil

EXIT_CODE = 2
PARTS = (ray_constants.PROCESS_TYPE_RAYLET, ray_constants.PROCESS_TYPE_GCS_SERVER)
# Whoever signals all processes of a job also signals this one, which then prints its own sentence
GRACE_S = 5.0
LOOK_EVERY_S = 0.2
DONE, SAID = ".", "!"
MARK = "GX2C_DRIVER"
_ending = threading.Lock()


@contextlib.contextmanager
def parts_watched() -> Iterator[Callable[[], None]]:
    """Within this context, the death of a part of Ray ends this process with a sentence.

    Nobody else can: Ray's own code ends or blocks the threads that would raise an exception.

    Yields
    ------
    callable
        To be called once Ray has started.
    """
    started, ended = threading.Event(), threading.Event()
    with _signals_noted() as signals, _last_word() as note:

        def look() -> None:
            known: set[int] = set()
            last = False
            while not (ended.is_set() or last):
                # the agents come last of all
                last = started.is_set()
                for name, process in _parts():
                    if process.pid not in known:
                        known.add(process.pid)
                        note(f"{name} {process.pid}\n")
                        threading.Thread(
                            target=_wait_for,
                            args=(name, process, started, ended, signals, note),
                            daemon=True,
                        ).start()
                started.wait(LOOK_EVERY_S)

        looking = threading.Thread(target=look, daemon=True)
        looking.start()

        def begin() -> None:
            started.set()
            looking.join()

        # by which Ray's processes are known as ours, whoever their parent is by then
        os.environ[MARK] = str(os.getpid())
        try:
            yield begin
        finally:
            ended.set()
            note(DONE)
            del os.environ[MARK]
            # it must not write to the pipe once that is closed: another file may get its number
            looking.join()


def _parts() -> Iterator[tuple[str, psutil.Process]]:
    """Find the raylet, the GCS, and the agents, without which the raylet ends in silence."""
    with contextlib.suppress(psutil.Error):
        for part in psutil.Process().children():
            if part.name() in PARTS:
                yield part.name(), part
                for child in part.children():
                    if "agent" in " ".join(child.cmdline()).lower():
                        yield "agent", child


@contextlib.contextmanager
def _last_word() -> Iterator[Callable[[str], None]]:
    """Fork a process that outlives this one, prints the sentence in its place and ends the rest.

    Yields
    ------
    callable
        Takes the line "NAME PID" of a part, SAID, or DONE once Ray has nothing more to do.
    """
    if sys.platform != "linux":
        yield lambda _: None
        return
    heard, told = os.pipe()
    # known before: whoever asks later may have another parent
    driver = str(os.getpid())
    child = os.fork()
    if child == 0:
        try:
            # signals for the whole group are for this process's parent
            os.setsid()
            # above all the lock of the run folder
            os.closerange(3, heard)
            os.closerange(heard + 1, os.sysconf("SC_OPEN_MAX"))
            _listen(heard, driver)
        finally:
            os._exit(0)
    os.close(heard)

    def note(line: str) -> None:
        with contextlib.suppress(OSError):
            os.write(told, line.encode())

    try:
        yield note
    finally:
        os.close(told)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


def _listen(heard: int, driver: str) -> None:
    text, first, said = "", "", False
    dead, handles = set[int](), dict[int, str]()
    while True:
        ready, _, _ = select.select([heard, *(handles.keys() - dead)], [], [])
        dead |= handles.keys() & set(ready)
        first = first or next((handles[one] for one in dead), "")
        if heard not in ready:
            continue
        new = os.read(heard, 4096).decode()
        if DONE in new:
            return
        if not new:
            break
        said |= SAID in new
        *lines, text = (text + new.replace(SAID, "")).split("\n")
        for name, _, pid in (line.partition(" ") for line in lines):
            try:
                handles[os.pidfd_open(int(pid))] = name
            except ProcessLookupError:
                first = first or name
    if first and not said:
        _say(first, started=True)
    for part in handles.keys() - dead:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(part, signal.SIGKILL)
    # a process with a title of its own has no environment that can be read: those are parts, or end
    # with them
    for process in psutil.process_iter():
        # one that ends meanwhile may fail in any of these ways
        with contextlib.suppress(psutil.Error, OSError, ValueError):
            if process.environ().get(MARK) == driver:
                process.kill()


@contextlib.contextmanager
def _signals_noted() -> Iterator[int]:
    """Yield a file that can be read once this process got a signal, even before it acts on it."""
    noted, note = os.pipe()
    os.set_blocking(note, False)
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.set_wakeup_fd(note, warn_on_full_buffer=False) if in_main else -1
    try:
        yield noted
    finally:
        if in_main:
            signal.set_wakeup_fd(before)
        os.close(note)
        os.close(noted)


def _wait_for(
    name: str,
    process: psutil.Process,
    started: threading.Event,
    ended: threading.Event,
    signals: int,
    note: Callable[[str], None],
) -> None:
    _wait_quickly(process)
    if ended.is_set():
        return
    signalled, _, _ = select.select([signals], [], [], 0)
    # one sentence is enough, though the other part dies with this one
    if not ended.wait(GRACE_S if signalled else 0.0) and _ending.acquire(blocking=False):
        # Ray may end this process at any moment, with another exit code: other threads wait
        sys.setswitchinterval(1e-6)
        _say(name, started=started.is_set())
        note(SAID)
        os._exit(EXIT_CODE)


def _wait_quickly(process: psutil.Process) -> None:
    """Wait for an end; psutil looks 25 times a second, and Ray ends this process within a tenth."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(process.pid)
            select.select([handle], [], [])
            os.close(handle)
            return
    process.wait()


def _say(name: str, *, started: bool) -> None:
    again = ", a sweep with --resume: nothing finished is lost" if started else ""
    sentence = (
        f"gx2c: Ray's {name} died, perhaps for want of memory; run the same command again{again}"
    )
    # the process must end even if nobody can read the sentence
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), ("\n" * sys.stderr.isatty() + sentence + "\n").encode())
