"""pip as on another machine: `python -m tools.pip_for_target '{"os_name": "nt", ...}' download ...`

pip downloads wheels for another platform, but asks the Python that runs it which requirements
count, so that `colorama; sys_platform == "win32"` is left out on Linux (pip's issue 11664, open).
Here its markers are answered by the dictionary in the first argument instead. Where that fails,
in a pip that keeps them elsewhere, tools/pack.py asks again for what is missing.
"""

import contextlib
import json
import runpy
import sys


def answer_markers_with(environment):
    """Let the pip of this process take its environment markers from a dictionary."""
    with contextlib.suppress(ImportError):
        from pip._vendor.packaging import markers

        markers.default_environment = lambda: dict(environment)


if __name__ == "__main__":
    answer_markers_with(json.loads(sys.argv.pop(1)))
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
