"""Ctrl-C (or the square button of a notebook) between two steps, never inside one."""

import signal
import threading


class KeyboardStop:
    """Inside this context Ctrl-C is counted in `presses`, for a loop that looks at it.

    An interrupt in the middle of an optimiser's step would leave some weights moved and others
    not. Here the first press is only counted; a second one, from someone who cannot wait,
    interrupts at once as usual. The handler found on the way in is put back on the way out,
    whatever happens. Outside the main thread Python delivers no Ctrl-C, and nothing is changed.
    """

    def __init__(self):
        self.presses = 0
        self._previous = None

    def __enter__(self):
        in_main_thread = threading.current_thread() is threading.main_thread()
        # A handler that is not callable means that the signal is ignored or handled outside Python.
        if in_main_thread and callable(signal.getsignal(signal.SIGINT)):
            self._previous = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *exception):
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None

    def _press(self, number, frame):
        self.presses += 1
        if self.presses > 1:
            self._previous(number, frame)
