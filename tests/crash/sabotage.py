#!/usr/bin/env python3
"""Proves the harness: with one rule broken, rounds (or a row of the table) must fail. A sabotage that survives fails this test.

    sabotage.py --binary build/dev/tests/crash/sabotaged                  all
    sabotage.py --binary ... answer-early skip-failed-output              these
"""

import argparse
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS, CHECK_EVERY, ATTEMPTS, FIRST_SEED, PATIENCE_S = 12, 3, 6, 100, 8
SEEN = re.compile(r"^(lost|doubled|changed|forgotten|gap|order|invented|because): .*", re.MULTILINE)

# How each is brought about: a fault that makes it matter, where the moment would otherwise be short.
OF_ROUNDS = {
    "answer-early": (),
    "store-before-outputs": ("--faulty", "append alerts * fail-until 6"),
    "offset-before-outputs": ("--faulty", "append alerts * fail-until 6"),
    "watermark-without-index": (),
    "watermark-per-subscription": (),
    "skip-failed-output": ("--faulty", "append alerts 5 fail;append alerts 9 fail"),
}
OF_ROWS = {"no-read-back": ("log-restored", "was told|does not say that the log was restored|TimeoutExpired")}


def run(*words):
    done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def caught_by_rounds(binary, name):
    for seed in range(FIRST_SEED, FIRST_SEED + ATTEMPTS):
        options = ["--rounds", str(ROUNDS), "--check-every", str(CHECK_EVERY), "--seed", str(seed), "--patience", str(PATIENCE_S), "--no-keep"]
        code, said = run(os.path.join(HERE, "rounds.py"), "--binary", binary, *options, "--sabotage", name, *OF_ROUNDS[name])
        found = SEEN.search(said)
        if code == 1 and found:
            return f"rounds, seed {seed}: {found.group(0)[:150]}"
        if code != 0:
            raise SystemExit(f"{name}: rounds.py ended with {code} for another reason\n{said}")
    return None


def caught_by_row(binary, name):
    row, expected = OF_ROWS[name]
    code, said = run(os.path.join(HERE, "table.py"), "--binary", binary, "--sabotage", name, "--no-keep", row)
    if code == 1 and re.search(expected, said):
        return f"row {row}: {said.strip().splitlines()[-1][:150]}"
    if code != 0:
        raise SystemExit(f"{name}: table.py ended with {code} for another reason\n{said}")
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the program tests/crash/sabotaged")
    parser.add_argument("names", nargs="*", help="all when none is named")
    options = parser.parse_args()
    survived = []
    for name in options.names or [*OF_ROUNDS, *OF_ROWS]:
        began = time.monotonic()
        how = caught_by_rounds(options.binary, name) if name in OF_ROUNDS else caught_by_row(options.binary, name)
        print(f"{'caught' if how else 'SURVIVED'} {name} ({time.monotonic() - began:.0f} s) {how or ''}", flush=True)
        if how is None:
            survived.append(name)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
