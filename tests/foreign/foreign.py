"""What these tests have in common: where other people's clients are, and the harness of tests/flow."""

import os
import shutil
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "flow"))

import tidings  # noqa: E402

CACHE = Path(os.environ.get("TIDINGS_CACHE") or Path.home() / ".cache" / "tidings")
PYTHON = CACHE / "python" / "bin" / "python"
NODE_MODULES = CACHE / "node" / "node_modules"
main = tidings.main


def run_with_clients():
    """Goes on under the Python that has the clients of requirements.txt; without one the tests are skipped."""
    if Path(sys.prefix).resolve() == (CACHE / "python").resolve():
        return
    if PYTHON.exists():
        os.execv(PYTHON, [str(PYTHON), "-B", *sys.argv])
    tidings.skip(f"there is no {PYTHON.parent.parent} with the clients of tests/foreign/requirements.txt (./test makes it)")


def needed(command, package):
    """The path of a command, or the tests are skipped."""
    found = shutil.which(command)
    if found is None:
        raise unittest.SkipTest(f"there is no {command} here (Debian: apt-get install {package})")
    return found
