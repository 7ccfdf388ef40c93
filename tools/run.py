"""Run a module as `python -m` does, except that Ctrl-C while it is imported prints no traceback.

python -m tools.run MODULE [ARGUMENT ...]
"""

import sys

if __name__ == "__main__":
    try:
        import runpy

        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:
        sys.exit(130)
