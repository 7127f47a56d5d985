#!/usr/bin/env python3
"""Kills the broker at random moments under load, starts it again, and looks whether anything was lost, doubled, changed or out of
order.

    rounds.py --binary build/dev/tests/crash/sabotaged                    100 rounds on the embedded log
    rounds.py --binary ... --rounds 1000 --seed 7                         as many as you like; a seed repeats the schedule
    rounds.py --binary ... --log kafka --rounds 10                        on a real Kafka, which is killed as well
    rounds.py --binary ... --sabotage answer-early                        one rule broken: this must fail
"""

import argparse
import glob
import os
import random
import shutil
import sys
import tempfile
import time

from load import Load
from running import Broken, Broker
from talking import Http
from told import wait_told

CHECK_EVERY = 10
STORES = ("match", "deliver", "api", "registrations", "worklist", "identities-hl7", "identities-cloudevents")
FAULTS = (
    "append alerts {n} fail",
    "append alerts {n} lose-answer",
    "append alerts {n} delay 80",
    "append alerts {n} twice",
    "append events {n} fail",
    "append events {n} lose-answer",
    "append events {n} twice",
    "append keys {n} fail",
    "append keys {n} lose-answer",
    "append any {n} delay 30",
)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the program tests/crash/sabotaged")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--log", choices=("embedded", "kafka"), default="embedded")
    parser.add_argument("--sabotage", default="none")
    parser.add_argument("--faulty", default=None, help="a script of the faulty log for every round")
    parser.add_argument("--folder", default=None, help="where the data are kept; default: a temporary one, removed when all is well")
    return parser.parse_args()


class Rounds:
    def __init__(self, options, broker, load, random_):
        self.options, self.broker, self.load, self.random = options, broker, load, random_
        self.stores_removed = self.faulty_rounds = 0

    def run(self):
        self.broker.start()
        self.broker.wait_up()
        self.load.prepare()
        self.load.start()
        for number in range(1, self.options.rounds + 1):
            self.load.hasty = (number - 1) // CHECK_EVERY % 2 == 0
            self.moment()
            self.broker.kill()
            self.load.check_threads()
            self.remove_store()
            self.broker.start(*self.extra_options())
            if number % CHECK_EVERY == 0 or number == self.options.rounds:
                self.look(number)
        self.look_at_all()

    def moment(self):
        """The moment of death: often within the start, mostly under load."""
        if self.random.random() < 0.75:
            self.broker.wait_up()
        self.load.failed.wait(self.random.uniform(0.03, 0.9))
        self.load.check_threads()

    def extra_options(self):
        extra = ["--commit-ms", str(self.random.choice((1, 20, 100, 500)))]
        script = self.options.faulty
        if script is None and self.random.random() < 0.4:
            kinds = [one for one in FAULTS if not self.load.hasty or "alerts" in one]
            script = ";".join(self.random.choice(kinds).format(n=self.random.randint(1, 40)) for _ in range(3))
        if script is not None:
            self.faulty_rounds += 1
            extra += ["--faulty", script]
        return extra

    def remove_store(self):
        """A store is a fold of the log: it may be lost, but not together with the group's offset."""
        if self.random.random() < 0.9:
            return
        self.stores_removed += 1
        for path in glob.glob(os.path.join(self.broker.data, self.random.choice(STORES) + ".store*")):
            os.remove(path)

    def look(self, number):
        """Everybody rests, everything is told: then all must be as expected."""
        self.broker.wait_up()
        self.load.rest()
        wait_told(self.load.told, 20, self.wait_or_fail)
        alerts = self.load.told.check()
        self.load.check_threads()
        print(f"round {number}: {len(self.load.told.events)} events, {alerts} alerts, as they must be", flush=True)
        self.load.go_on()

    def wait_or_fail(self, seconds):
        self.load.failed.wait(seconds)
        self.load.check_threads()
        if self.broker.ended():
            raise Broken(f"the broker ended by itself: {self.broker.last_note()}")

    def look_at_all(self):
        """Everything is read again from its beginning; and nobody has anything to mend."""
        self.load.rest()
        wait_told(self.load.told, 20, self.wait_or_fail)
        http = Http(self.broker, self.load.subscriber_token)
        for subscription in self.load.subscriptions:
            after, head = 0, 1
            while after < head:
                head, count = self.load.pull(http, subscription, after, 1000)
                after += count
        self.load.told.check()
        status, answer, _ = Http(self.broker, self.load.worklist_token).once("GET", "/worklist")
        if status != 200 or answer["items"]:
            raise Broken(f"the work list is not empty: {status} {answer}")


def main():
    options = arguments()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1000000)
    folder = options.folder or tempfile.mkdtemp(prefix="tidings-crash-")
    print(f"rounds.py: seed {seed}, {options.rounds} rounds, sabotage {options.sabotage}", flush=True)
    broker = Broker(options.binary, folder, options=["--partitions", "4", "--sabotage", options.sabotage])
    load = Load(broker, seed)
    rounds = Rounds(options, broker, load, random.Random(seed))
    began = time.monotonic()
    try:
        rounds.run()
    except Broken as broken:
        print(f"FAILED, seed {seed}, data kept in {folder}\n{broken}", flush=True)
        return 1
    finally:
        load.over.set()
        broker.end()  # so that nobody waits for it
        load.end()
    shutil.rmtree(folder, ignore_errors=True)
    told = load.told
    print(
        f"{options.rounds} rounds in {time.monotonic() - began:.0f} s: {len(told.events)} events acknowledged ({load.sent_again} messages sent again, "
        f"{load.faults_answered} refused for a while), {sum(len(one.alerts) for one in told.seen.values())} alerts in {len(told.seen)} "
        f"subscriptions ({told.rereads} read again), {rounds.stores_removed} stores removed, {rounds.faulty_rounds} rounds with faults: "
        "nothing lost, nothing twice, nothing changed, in order"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
