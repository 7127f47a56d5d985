"""One random walk: publishers, machines, zombies, crashes, losses; at the end everything comes to rest and is checked."""

import random

import check
from meaning import ALERTS, EVENTS, QUARANTINE, Log, Record, Shape
from runner import Incident, Reader, Runner, recover

MACHINES = 3
READERS = 2


class Walk:
    """Everything a walk does comes from its seed."""

    def __init__(self, seed, broken=None, trace=None, cut_above_stores=False):
        self.random = random.Random(seed)
        self.broken = broken
        self.trace = trace
        self.cut_above_stores = cut_above_stores
        r = self.random
        self.shape = Shape(r.randint(1, 3), r.randint(1, 2), r.randint(2, 6), r.randint(1, 3))
        self.log = Log(self.shape)
        self.stores = {}  # (machine, partition) -> what a runner committed
        self.committed = {p: 0 for p in range(self.shape.events)}  # the group's offsets; the first start commits 0
        self.owner = {}  # partition -> (machine, Runner)
        self.zombies = []
        self.reader_stores = [{} for _ in range(READERS)]
        self.readers = [None] * READERS
        self.shown = {}  # (subscription, number) -> alert: what somebody outside has seen
        self.acknowledged = set()  # events whose publisher had its answer
        self.unanswered = []  # (partition, record) that publishers will send again
        self.refused = set()  # (event, offset) of the work list that a person has sent again
        self.next_id = 1
        self.now = 1
        self.noticed = None
        for partition in range(self.shape.events):
            self.log.append(EVENTS, partition, Record("rules", value=1))
        self.failing = r.choice((0, 0.1, 0.6))  # how often a key cannot be read
        calm = r.random()  # some walks are calm, so that much happens between two deaths
        self.actions = [
            (12, self.publish),
            (3, self.subscribe),
            (16, self.fold),
            (14, self.append),
            (3 + 3 * calm, self.commit_store),
            (3 + 4 * calm, self.commit_offset),
            (10, self.read),
            (2, self.commit_reader),
            (3, self.tick),
            (2, self.redrive),
            (4 * (1 - calm), self.crash),
            (2 * (1 - calm), self.stop),
            (3 * (1 - calm), self.rebalance),
            (2 * (1 - calm), self.crash_reader),
            (1 * (1 - calm), self.end_zombie),
            (0.7 * (1 - calm), self.lose_store),
            (0.7 * (1 - calm), self.lose_offset),
            (0.7 * (1 - calm), self.copy_store),
            (0.5 * (1 - calm), self.lose_reader_store),
            (2.5 * (1 - calm), self.lose_everything),
            (0.5, self.change_rules),
        ]

    def say(self, text):
        if self.trace is not None:
            self.trace.append(text)

    def run(self):
        """Raises check.Wrong, or returns "passed" or "noticed" (a truncation, by an incident)."""
        functions = [action for _, action in self.actions]
        weights = [weight for weight, _ in self.actions]
        for action in self.random.choices(functions, weights, k=self.random.randint(40, 160)):
            action()
        try:
            if self.cut_above_stores or self.random.random() < 0.25:
                self.truncate()
            self.come_to_rest()
        except Incident as incident:
            if self.noticed is None:
                raise check.Wrong(f"an incident without a cause: {incident}") from incident
            return "noticed"
        check.check_published(self.log, self.acknowledged)
        check.check_outputs(self.log)
        check.check_rows(self.log, self.readers)
        want = check.ideal_rows(self.log)
        for place, alert in self.shown.items():
            if want.get(place) != alert:
                raise check.Wrong(f"a number that changed: {place} was shown as {alert} and is {want.get(place)}")
        return "passed"

    # ---- publishers ----

    def put(self, partition, record):
        """An append whose answer may get lost: then the same event, with the same id, again."""
        chance = self.random.random()
        if chance < 0.1:
            self.unanswered.append((partition, record))  # not appended
            return
        self.log.append(EVENTS, partition, record)
        if chance < 0.2:
            self.unanswered.append((partition, record))  # appended, not known
            return
        if record.id > 0:
            self.acknowledged.add(record.id)

    def publish(self):
        if self.unanswered and self.random.random() < 0.5:
            self.put(*self.unanswered.pop(0))
            return
        self.now += 1
        patient = self.random.randrange(self.shape.patients)
        what, value = "", 0
        kind = "register" if self.random.random() < 0.25 else "care"
        if kind == "register":
            value = self.random.randrange(self.shape.subscribers)
        else:
            what = "".join(flag for flag, odds in (("d", 0.5), ("l", 0.3), ("p", 0.15)) if self.random.random() < odds)
        record = Record(kind, self.next_id, patient, value, what, self.now)
        self.next_id += 1
        self.put(self.shape.partition(EVENTS, patient), record)

    def subscribe(self):
        who = self.random.randrange(self.shape.subscribers)
        self.log.append(ALERTS, self.shape.partition(ALERTS, who), Record("subscribe", self.random.randint(1, 3), who))

    def change_rules(self):
        for partition in range(self.shape.events):
            self.log.append(EVENTS, partition, Record("rules", value=2))

    def tick(self):
        """By an owner, or by a zombie whose clock may be behind."""
        self.now += self.random.choice((1, 1, 8))
        behind = self.random.randint(0, 4)
        self.log.append(EVENTS, self.random.randrange(self.shape.events), Record("tick", value=self.now - behind))

    def redrive(self):
        """A person sends a quarantined record again: the same id, a new position."""
        items = [i for i in self.log.partitions[(QUARANTINE, 0)] if (i.id, i.cause[1:3]) not in self.refused]
        if not items:
            return
        item = self.random.choice(items)
        self.refused.add((item.id, item.cause[1:3]))
        partition, offset = item.cause[1:3]
        record = self.log.at(EVENTS, partition, offset)
        self.say(f"redrive {item.id}")
        if self.broken == "works-at-old-position":
            if partition in self.owner:
                self.owner[partition][1].work_at_old_position(offset)
            return
        self.put(partition, record._replace(cause=None))

    # ---- machines ----

    def runner(self):
        """One of those that fold now, zombies too. None: there is none, one was started."""
        alive = list(self.owner.items())
        missing = [p for p in range(self.shape.events) if p not in self.owner]
        if missing:
            self.start(self.random.choice(missing), self.random.randrange(MACHINES))
            return None, None
        everyone = [(p, m, r) for p, (m, r) in alive] + self.zombies
        partition, machine, runner = self.random.choice(everyone)
        return (partition, machine), runner

    def start(self, partition, machine):
        self.zombies = [z for z in self.zombies if z[:2] != (partition, machine)]
        store, committed = self.stores.get((machine, partition)), self.committed[partition]
        recovered = None
        if store is None and committed is None:  # it refuses until a person says from where
            recovered = recover(self.log, partition, self.broken)
        self.say(f"start p{partition} on m{machine} S={store and store[0]} C={committed} recovered={recovered}")
        runner = Runner(self.log, partition, store, committed, self.broken, recovered)
        self.owner[partition] = (machine, runner)

    def fold(self):
        where, runner = self.runner()
        if runner is None:
            return
        runner.fold(self.random.randint(1, 8), lambda: self.random.random() < self.failing)
        if runner.begun and self.random.random() < 0.15:  # it gets nowhere: people start it again
            self.stop(where, runner)
            if where[0] not in self.owner:
                self.start(*where)

    def append(self):
        where, runner = self.runner()
        if runner and runner.pending:
            how = self.random.choices(("ok", "answer lost", "part"), (7, 2, 3))[0]
            self.say(f"append by {where} {how}: {[(f'{t}/{p}', r.id, r.cause[2:]) for t, p, r in runner.pending]}")
            runner.append(how, self.random)

    def commit_store(self):
        where, runner = self.runner()
        if runner:
            stored = runner.commit_store()
            if stored is not None:
                self.say(f"store of {where} at {stored[0]}")
                self.stores[(where[1], where[0])] = stored

    def commit_offset(self):
        where, runner = self.runner()
        if not runner:
            return
        owned = self.owner[where[0]][1] is runner
        if owned or self.random.random() < 0.5:  # a zombie's commit may be taken
            self.say(f"offset of {where} at {runner.commit_offset()}")
            self.committed[where[0]] = runner.commit_offset()

    def crash(self):
        self.crash_machine(self.random.randrange(MACHINES))

    def crash_machine(self, machine):
        self.say(f"crash m{machine}")
        self.owner = {p: (m, r) for p, (m, r) in self.owner.items() if m != machine}
        self.zombies = [z for z in self.zombies if z[1] != machine]

    def stop(self, where=None, runner=None):
        """A runner ends as it should: outputs, store, offset."""
        if runner is None:
            where, runner = self.runner()
        if runner is None or self.owner[where[0]][1] is not runner:
            return
        runner.append("ok", self.random)
        stored = runner.commit_store()
        if stored is not None:
            self.stores[(where[1], where[0])] = stored
        self.committed[where[0]] = runner.commit_offset()
        self.say(f"{where} stops, S={stored and stored[0]} C={self.committed[where[0]]}")
        del self.owner[where[0]]

    def rebalance(self):
        partition = self.random.randrange(self.shape.events)
        if partition not in self.owner:
            return
        machine, runner = self.owner.pop(partition)
        if self.random.random() < 0.6:
            self.say(f"m{machine} does not notice that it lost p{partition}")
            self.zombies.append((partition, machine, runner))
        self.start(partition, (machine + 1 + self.random.randrange(MACHINES - 1)) % MACHINES)

    def end_zombie(self):
        if self.zombies:
            self.zombies.pop(self.random.randrange(len(self.zombies)))

    def lose_store(self):
        machine = self.random.randrange(MACHINES)
        self.say(f"store of m{machine} lost")
        self.stores = {k: v for k, v in self.stores.items() if k[0] != machine}
        self.crash_machine(machine)

    def lose_offset(self):
        partition = self.random.randrange(self.shape.events)
        self.say(f"group offset of p{partition} lost")
        self.committed[partition] = None

    def lose_everything(self):
        """No machine has a store of a partition, and the group's offset is gone: somebody must recover."""
        partition = self.random.randrange(self.shape.events)
        self.say(f"nothing is left of p{partition}")
        self.owner.pop(partition, None)
        self.zombies = [z for z in self.zombies if z[0] != partition]
        self.stores = {k: v for k, v in self.stores.items() if k[1] != partition}
        self.committed[partition] = None

    def copy_store(self):
        """A new machine starts from another's store."""
        source, target = self.random.sample(range(MACHINES), 2)
        self.crash_machine(target)
        for (machine, partition), stored in list(self.stores.items()):
            if machine == source:
                self.stores[(target, partition)] = stored

    # ---- readers ----

    def reader(self, index):
        if self.readers[index] is None:
            self.readers[index] = Reader(self.log, self.reader_stores[index], self.broken)
        return self.readers[index]

    def read(self):
        topic, partition = self.random.choice([where for where in self.log.partitions if where[0] != EVENTS])
        index = self.random.randrange(READERS)
        self.reader(index).fold(topic, partition, self.random.randint(1, 10), self.show)

    def show(self, subscription, number, alert):
        if self.shown.setdefault((subscription, number), alert) != alert:
            was = self.shown[(subscription, number)]
            raise check.Wrong(f"a number that changed: {subscription} {number} was shown as {was} and is {alert}")

    def commit_reader(self):
        index = self.random.randrange(READERS)
        for topic, partition in self.reader(index).parts:
            if self.random.random() < 0.6:
                self.reader_stores[index][(topic, partition)] = self.reader(index).store(topic, partition)

    def crash_reader(self):
        self.readers[self.random.randrange(READERS)] = None

    def lose_reader_store(self):
        index = self.random.randrange(READERS)
        self.readers[index] = None
        self.reader_stores[index] = {}

    # ---- a restored log, and the end ----

    def truncate(self):
        """With everything stopped, a partition of events or alerts is restored to less than a store has applied; publishers go on
        first, so that offsets are used twice."""
        self.owner, self.zombies, self.readers = {}, [], [None] * READERS
        topic = self.random.choice((EVENTS, ALERTS))
        partition = self.random.randrange(self.shape.partition(topic, -1) + 1)
        records = self.log.partitions[(topic, partition)]
        if topic == EVENTS:
            positions = [s[0] for (_, p), s in self.stores.items() if p == partition]
        else:
            positions = [s[(topic, partition)][0] for s in self.reader_stores if (topic, partition) in s]
        known, ahead = max(positions, default=0), self.committed.get(partition) or 0
        if topic == EVENTS and ahead > known + 1 and self.random.random() < 0.5:
            return self.cut_below_offset(partition, known, ahead)
        low, high = (known, len(records) - 1) if self.cut_above_stores else (1, known - 1)
        if high < max(low, 1):
            return
        end = self.random.randint(max(low, 1), high)
        self.say(f"{topic}/{partition} is cut from {len(records)} to {end}")
        self.noticed = (topic, partition)
        self.acknowledged -= {record.id for record in records[end:]}
        del records[end:]
        self.unanswered = []
        for _ in range(self.random.randint(0, 40)):
            self.publish()

    def cut_below_offset(self, partition, known, ahead):
        """No store has applied what is gone, but the group's offset is beyond the end, and folding begins before publishers do."""
        records = self.log.partitions[(EVENTS, partition)]
        end = self.random.randint(max(known, 1), min(ahead, len(records)) - 1)
        self.say(f"events/{partition} is cut from {len(records)} to {end}, the group offset is {ahead}")
        self.noticed = (EVENTS, partition)
        self.acknowledged -= {record.id for record in records[end:]}
        del records[end:]
        self.unanswered = []
        self.start(partition, self.random.randrange(MACHINES))
        for _ in range(20):
            self.publish()

    def come_to_rest(self):
        """Faults end; every machine starts once; what can be done is done."""
        for partition, record in self.unanswered:
            self.log.append(EVENTS, partition, record)
            self.acknowledged.add(record.id)
        self.zombies = []
        if self.noticed:
            for machine, partition in list(self.stores):
                self.start(partition, machine)
        for partition in range(self.shape.events):
            if partition not in self.owner:
                self.start(partition, self.random.randrange(MACHINES))
        for index in range(READERS):
            self.reader(index)
        busy = True
        while busy:
            busy = False
            for _, runner in self.owner.values():
                before = runner.position, len(runner.pending)
                runner.fold(50)
                if runner.pending:
                    runner.append("ok", self.random)
                busy = busy or before != (runner.position, len(runner.pending))
        for index in range(READERS):
            for topic, partition in self.reader(index).parts:
                self.reader(index).fold(topic, partition, self.log.end(topic, partition), self.show)
