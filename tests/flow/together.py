"""Tells many stories over one broker and one log, which saves the start of a Kafka for each: together.py 01_*.py 02_*.py ..."""

import importlib.util
import sys
import unittest
from pathlib import Path

import tidings

# Not together: what moves, harms or shares a data folder.
ALONE = ("17_a_full_disk", "18_a_record_whose_key_is_gone", "19_starts_that_are_refused")


def load(file):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_tests(loader, _tests, _pattern):
    """unittest's hook: the stories, and last that the broker ends as it must."""
    files = [Path(name) for name in stories] or sorted(Path(__file__).parent.glob("[0-9][0-9]_*.py"))
    suite = unittest.TestSuite(loader.loadTestsFromModule(load(file)) for file in files if file.stem not in ALONE)
    suite.addTests(loader.loadTestsFromTestCase(TheEnd))
    return suite


class TheEnd(unittest.TestCase):
    def test_it_stops_verifies_and_nothing_stands_in_clear(self):
        tidings.Story.together.finish()


if __name__ == "__main__":
    stories, sys.argv[1:] = sys.argv[1:], []
    try:
        tidings.Story.together = tidings.Broker()
    except unittest.SkipTest as why:
        tidings.skip(why)
    try:
        tidings.main()
    finally:
        tidings.Story.together.destroy()
