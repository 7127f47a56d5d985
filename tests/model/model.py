#!/usr/bin/env python3
"""The rules of "once, in order, never lost" as a random walk: with all of them nothing is lost or doubled, and with any one taken
away something is. Exit 1 if either is not so.

    model.py                                   the short form (ctest): the same seeds each time
    model.py --walks 20000 --first 1000000     the long form, by hand, on seeds of your choice
    model.py --broken store-before-outputs --first 17 --walks 1 --trace      one walk again, told step by step
"""

import argparse
import sys
import time

from check import Wrong
from walk import Walk

# The rule that is taken away, by the name that runner.py knows.
RULES = {
    "store-before-outputs": "the store is committed only after the outputs are acknowledged",
    "offset-before-outputs": "the group offset is committed only after the outputs are acknowledged",
    "silent-to-the-end": "what lies beyond max(S, C) is emitted, however old it is",
    "starts-at-the-end": "with neither store nor offset nothing starts by itself",
    "recover-by-the-newest-of-all": "recover goes by what each target partition holds, not by the newest output of all",
    "skips-failed-output": "one that cannot append an output stops, never skips",
    "later-output-overtakes": "nothing queued behind a failed output is appended before it",
    "reader-does-not-drop": "a reader drops what is not after the watermark",
    "watermark-without-index": "the watermark is (offset, index), so a record's second output is not taken for its first",
    "watermark-offset-may-repeat": "the watermark is (offset, index), so a record's first output is not taken for its second",
    "watermark-per-key": "the watermark is kept for each source partition, not for each key",
    "watermark-per-partition-read": "the watermark is kept for each source partition, not one for all",
    "watermark-per-subscription": "the watermark is kept for each source partition, not for each subscription",
    "watermark-after-the-filter": "a reader drops before it looks at anything else",
    "watermarks-not-in-store": "watermarks are committed with the state and the position",
    "identities-not-kept": "the patient's state keeps the identities that were applied to it",
    "works-at-old-position": "a redriven record is appended again; nothing is worked on at an old position",
    "rules-by-configuration": "rules are versioned in the log, not by what the program is configured with",
    "wakes-in-order-of-memory": "a tick wakes keys in order of (deadline, key)",
    "index-begins-anew": "a record that could not be finished goes on with the index that it had",
    "store-amid-a-record": "the store is not committed while a record is half done",
    "offset-beyond-the-end": "a group offset beyond the end of the log is an incident",
    "no-read-back": "on start the last record applied is read back (a restored log uses offsets twice)",
}

# Taken away too, and nothing may be found: it only saves repeats.
THRIFT = {"emits-below-the-offset": "nothing is emitted again below the group offset"}


def walk(seed, broken, trace=None, cut_above_stores=False):
    """What was found; None: nothing."""
    try:
        Walk(seed, broken, trace, cut_above_stores).run()
        return None
    except Wrong as wrong:
        return str(wrong)


def find_nothing(first, walks, broken, name):
    """How many walks found something."""
    bad = 0
    for seed in range(first, first + walks):
        found = walk(seed, broken)
        if found:
            print(f"WRONG {name}, seed {seed}: {found}")
            bad += 1
    print(f"{name}: {walks} walks, seeds {first} to {first + walks - 1}, {bad} wrong")
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--walks", type=int, default=3000, help="walks with all rules")
    parser.add_argument("--tries", type=int, default=3000, help="walks at most until a rule taken away is found")
    parser.add_argument("--first", type=int, default=1, help="the first seed; each walk has the next")
    parser.add_argument("--broken", choices=sorted(RULES | THRIFT), help="only walks with this rule taken away")
    parser.add_argument("--cut-above-stores", action="store_true", help="restores that no store can notice: the rules' limit")
    parser.add_argument("--trace", action="store_true", help="tell what a walk did before it found something")
    options = parser.parse_args()
    started = time.monotonic()

    if options.broken or options.cut_above_stores:
        for seed in range(options.first, options.first + options.walks):
            trace = [] if options.trace else None
            found = walk(seed, options.broken, trace, options.cut_above_stores)
            if trace and (found or options.walks == 1):
                print("\n".join(trace))
            if found:
                print(f"seed {seed}: {found}")
                return 0
        print(f"nothing found in {options.walks} walks")
        return 1

    bad = find_nothing(options.first, options.walks, None, "with all rules")
    for broken, thrift in THRIFT.items():
        bad += find_nothing(options.first, options.walks // 4, broken, f"without thrift, \"{thrift}\" ({broken})")
    for broken, rule in RULES.items():
        for seed in range(options.first, options.first + options.tries):
            found = walk(seed, broken)
            if found:
                print(f"without \"{rule}\" ({broken}): seed {seed}: {found}")
                break
        else:
            print(f"NOT FOUND in {options.tries} walks: {broken}")
            bad += 1
    print(f"{time.monotonic() - started:.1f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
