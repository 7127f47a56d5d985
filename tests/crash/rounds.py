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
import subprocess
import sys
import tempfile
import time

from kafka import Kafka
from load import Load
from running import Broken, Broker
from talking import Http
from told import wait_told

CHECK_EVERY = {"embedded": 10, "kafka": 5}
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
    parser.add_argument("--tidings", default=None, help="the program tidings: `tidings verify` reads the whole log at the end")
    parser.add_argument("--rounds", type=int, default=None, help="default: 100, on Kafka 10; ten times as many with TIDINGS_LONG=1")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--log", choices=("embedded", "kafka"), default="embedded")
    parser.add_argument("--sabotage", default="none")
    parser.add_argument("--check-every", type=int, default=None, help="rounds between looks, when everything rests; default: 10, on Kafka 5")
    parser.add_argument("--faulty", default=None, help="a script of the faulty log for every round")
    parser.add_argument("--folder", default=None, help="where the data are kept; default: a temporary one, removed when all is well")
    parser.add_argument("--patience", type=int, default=None, help="seconds without anything new until what is missing is lost; default: 20, on Kafka 90")
    parser.add_argument("--no-keep", action="store_true", help="remove the data also when something was found")
    options = parser.parse_args()
    if options.rounds is None:
        options.rounds = (100 if options.log == "embedded" else 10) * (10 if os.environ.get("TIDINGS_LONG") == "1" else 1)
    return options


class Rounds:
    def __init__(self, options, broker, load, random_, kafka):
        self.options, self.broker, self.load, self.random, self.kafka = options, broker, load, random_, kafka
        self.check_every = options.check_every or CHECK_EVERY[options.log]
        self.patience = options.patience or (20 if kafka is None else 90)
        self.stores_removed = self.faulty_rounds = self.kafka_deaths = 0

    def run(self):
        self.broker.start()
        self.broker.wait_up(self.patience)
        self.load.prepare()
        self.load.hasty = self.kafka is None
        self.load.start()
        for number in range(1, self.options.rounds + 1):
            self.load.hasty = self.kafka is None and (number - 1) // self.check_every % 2 == 0
            whose = self.whose_death(number)
            self.moment(may_be_in_start=whose != "kafka")
            self.death_of(whose)
            if number % self.check_every == 0 or number == self.options.rounds:
                self.look(number)
        self.look_at_all()

    def whose_death(self, number):
        """Kafka's takes long: every third time it dies too, or alone, and then the broker must go on."""
        return "broker" if self.kafka is None or number % 3 else ("both", "kafka")[number % 2]

    def moment(self, may_be_in_start):
        """The moment of death: often within the start, mostly under load."""
        if self.random.random() < 0.75 or not may_be_in_start:
            self.broker.wait_up(self.patience)
        self.load.failed.wait(self.random.uniform(0.03, 0.9 if self.kafka is None else 2.5))
        self.load.check_threads()

    def death_of(self, whose):
        if whose != "broker":
            self.kafka_deaths += 1
            self.kafka.kill()
        if whose != "kafka":
            self.broker.kill()
        if whose != "broker":
            self.kafka.start()
        self.load.check_threads()
        if whose != "kafka":
            self.remove_store()
            self.broker.start(*self.extra_options())

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
        self.broker.wait_up(self.patience)
        self.load.rest(3 * self.patience)
        wait_told(self.load.told, self.patience, self.wait_or_fail)
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
        self.load.rest(3 * self.patience)
        wait_told(self.load.told, self.patience, self.wait_or_fail)
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
        self.verify()

    def verify(self):
        if self.options.tidings is None:
            return
        words = [self.options.tidings, "verify", "--data", self.broker.data]
        if self.kafka is not None:
            words += ["--log", self.broker.log]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise Broken(f"tidings verify ended with {done.returncode}: {done.stdout.strip()}")
        print(f"tidings verify: {' '.join(done.stdout.split())}", flush=True)


def main():
    options = arguments()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1000000)
    folder = options.folder or tempfile.mkdtemp(prefix="tidings-crash-")
    print(f"rounds.py: seed {seed}, {options.rounds} rounds, sabotage {options.sabotage}", flush=True)
    kafka = Kafka(os.path.join(folder, "kafka")) if options.log == "kafka" else None
    where = "embedded" if kafka is None else f"kafka://{kafka.address}"
    broker = Broker(options.binary, folder, where, ["--partitions", "4", "--machine", "crash", "--sabotage", options.sabotage])
    load = Load(broker, seed)
    rounds = Rounds(options, broker, load, random.Random(seed), kafka)
    began = time.monotonic()
    keep = not options.no_keep
    try:
        rounds.run()
        keep = False
    except Broken as broken:
        print(f"FAILED, seed {seed}{f', data kept in {folder}' if keep else ''}\n{broken}", flush=True)
        return 1
    finally:
        load.over.set()
        broker.end()  # so that nobody waits for it
        load.end()
        if kafka is not None:
            kafka.close()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    told = load.told
    print(
        f"{options.rounds} rounds in {time.monotonic() - began:.0f} s: {len(told.events)} events acknowledged ({load.sent_again} messages sent again, "
        f"{load.faults_answered} refused for a while), {sum(len(one.alerts) for one in told.seen.values())} alerts in {len(told.seen)} "
        f"subscriptions ({told.rereads} read again), {rounds.stores_removed} stores removed, {rounds.faulty_rounds} rounds with faults, {rounds.kafka_deaths} deaths of Kafka: "
        "nothing lost, nothing twice, nothing changed, in order"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
