#!/usr/bin/env python3
"""The rows of docs/crash-table.md, each at its exact point: kills the broker there, starts it again, and looks.

    table.py --binary build/dev/tests/crash/sabotaged                     all rows
    table.py --binary ... store-committed disk-full                       these
    table.py --binary ... --keep ROW                                      leaves the data folder, for looking at
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import rows_doors
import rows_fold
import rows_kafka
import rows_start
from kafka import Kafka
from running import Broken
from scene import Scene

ROWS = {row.__name__.replace("_", "-"): row for module in (rows_doors, rows_fold, rows_start, rows_kafka) for row in module.ROWS}
ON_KAFKA = {row.__name__.replace("_", "-") for row in rows_kafka.ROWS}


def run(name, options):
    began = time.monotonic()
    kafka = Kafka(tempfile.mkdtemp(prefix="tidings-crash-kafka-")) if name in ON_KAFKA else None
    scene = Scene(options.binary, ("--partitions", "4", "--sabotage", options.sabotage), kafka)
    broken = None
    try:
        ROWS[name](scene)
    except (Broken, OSError, subprocess.SubprocessError) as error:
        broken = error if isinstance(error, Broken) else f"{error!r}: {scene.broker.last_note()}"
    finally:
        scene.close(keep=options.keep or broken is not None and not options.no_keep)
        if kafka is not None:
            kafka.close()
    kept = f", data in {scene.folder}" if os.path.exists(scene.folder) else ""
    print(f"{'FAILED' if broken else 'ok'} {name} ({time.monotonic() - began:.1f} s{kept}){f': {broken}' if broken else ''}", flush=True)
    return broken is None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the program tests/crash/sabotaged")
    parser.add_argument("--sabotage", default="none", help="one rule broken: the row must fail")
    parser.add_argument("--embedded", action="store_true", help="only the rows that need no Kafka")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--no-keep", action="store_true", help="removes it also after a failure")
    parser.add_argument("rows", nargs="*", help="all when none is named")
    options = parser.parse_args()
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    names = options.rows or [name for name in ROWS if not (options.embedded and name in ON_KAFKA)]
    good = [run(name, options) for name in names]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
