"""The rules (design: once, in order, never lost) as a runner that folds events, and a reader that numbers alerts. Each rule can be
taken away by its name in `broken`, and only so."""

from meaning import ALERTS, EVENTS, QUARANTINE, Cause, Patient, due, match, wake


class Incident(Exception):
    """What a person must look at: the process does not start."""


class Watermarks:
    """The last (offset, index) seen of each source partition; what is not after it was there already."""

    def __init__(self, broken, marks=None):
        self.broken = broken
        self.marks = dict(marks or {})

    def source(self, record):
        if self.broken == "watermark-per-key":
            return record.key
        if self.broken == "watermark-per-partition-read":
            return None
        return record.cause.topic, record.cause.partition

    def is_new(self, record, key=None):
        """Is it after the mark? Then it becomes the mark."""
        if record.cause is None or self.broken == "reader-does-not-drop":
            return True
        where = (key, self.source(record))
        place, last = record.cause[2:], self.marks.get(where, (-1, -1))
        if self.broken == "watermark-without-index":
            new = place[0] > last[0]
        elif self.broken == "watermark-offset-may-repeat":
            new = place[0] >= last[0]
        else:
            new = place > last
        if new:
            self.marks[where] = place
        return new


def read_back(log, topic, partition, position, last, broken):
    """A store's position must be where it was: in range, behind the same record."""
    if position > log.end(topic, partition):
        raise Incident("a position beyond the end")
    if broken != "no-read-back" and position > 0 and log.at(topic, partition, position - 1) != last:
        raise Incident("another record stands where the last one was")


class Runner:
    """Matching of one partition on one machine. Store and group offset are handed in: they outlive it."""

    def __init__(self, log, partition, store, committed, broken, recovered=None):
        self.log, self.partition, self.broken = log, partition, broken
        self.position, self.states, marks, self.rules, self.now, last = store or (0, {}, {}, 1, 0, None)
        if broken == "watermarks-not-in-store":
            marks = {}
        self.watermarks = Watermarks(broken, marks)
        read_back(log, EVENTS, partition, self.position, last, broken)
        if committed is not None and committed > log.end(EVENTS, partition) and broken != "offset-beyond-the-end":
            raise Incident("a group offset beyond the end")
        self.states = dict(self.states)
        self.silent_to = max(self.position, committed or 0)
        if broken == "silent-to-the-end":
            self.silent_to = log.end(EVENTS, partition)
        elif broken == "starts-at-the-end" and store is None and committed is None:
            self.position = self.silent_to = log.end(EVENTS, partition)
        self.recovered = recovered  # what `recover` found in the target partitions: outputs up to there are not emitted again
        self.pending = []  # outputs that are not acknowledged
        self.acknowledged = self.position  # everything before it has its outputs in the log
        self.begun = 0  # outputs of the record at `position` that are made already: it could not be finished

    # ---- folding ----

    def fold(self, most, failing=lambda: False):
        """One batch in memory. Nothing new before the last batch's outputs are acknowledged. failing: can a key not be read now?"""
        if self.pending:
            return
        for _ in range(most):
            if self.position >= self.log.end(EVENTS, self.partition):
                break
            outputs, finished = self.apply(self.log.at(EVENTS, self.partition, self.position), failing)
            if self.position >= self.silent_to:
                self.emit(outputs, self.position, self.begun)
            if not finished:
                if self.broken != "index-begins-anew":
                    self.begun += len(outputs)
                break
            self.begun = 0
            self.position += 1
        if not self.pending:
            self.acknowledged = self.position

    def apply(self, record, failing):
        """The outputs, and whether the record is done with."""
        shape = self.log.shape
        if not self.watermarks.is_new(record):
            return [], True
        if record.kind == "rules":
            self.rules = max(self.rules, record.value)
            return [], True
        rules = 2 if self.broken == "rules-by-configuration" else self.rules
        if record.kind == "tick":
            return self.wake(record, failing)
        state = self.states.get(record.key, Patient())
        if self.broken == "wakes-in-order-of-memory":
            self.states.pop(record.key, None)
        self.states[record.key], outputs = match(shape, rules, state, record, self.broken != "identities-not-kept")
        return outputs, True

    def wake(self, record, failing):
        """A tick wakes one key after the other; where one cannot be read now, the rest is woken later, by the same record."""
        self.now = max(self.now, record.value)
        outputs, keys = [], due(self.states, self.now)
        if self.broken == "wakes-in-order-of-memory":
            keys = [key for key in self.states if key in keys]
        for key in keys:
            if failing():
                return outputs, False
            self.states[key], more = wake(self.log.shape, self.states[key])
            outputs += more
        return outputs, True

    def emit(self, outputs, offset, begun=0):
        for index, (topic, partition, record) in enumerate(outputs, begun):
            cause = Cause(EVENTS, self.partition, offset, index)
            if self.recovered is not None and cause[2:] <= self.recovered.get((topic, partition), (-1, -1)):
                continue
            self.pending.append((topic, partition, record._replace(cause=cause)))

    # ---- outputs, then the store and the group offset ----

    def append(self, how, random):
        """how: "ok"; "answer lost": appended, not known; "part": of each target partition only the first few."""
        left = {}
        if how == "part":
            for topic, partition, _ in self.pending:
                left[(topic, partition)] = left.get((topic, partition), 0) + 1
            left = {target: random.randint(0, count) for target, count in left.items()}
        failed = []
        for topic, partition, record in self.pending:
            target = (topic, partition)
            overtaken = self.broken == "later-output-overtakes" and random.random() < 0.5
            if how != "part" or left[target] > 0 or overtaken:
                self.log.append(topic, partition, record)
                left[target] = left.get(target, 0) - 1
            else:
                failed.append((topic, partition, record))
        if how == "ok" or self.broken == "skips-failed-output":
            self.pending = []
            self.acknowledged = self.position
        elif self.broken == "later-output-overtakes":
            self.pending = failed
            if not failed:
                self.acknowledged = self.position
        # otherwise all of it is appended again: whoever reads it drops what was there

    def commit_store(self):
        """State, position and watermarks, together. None: not now."""
        if self.pending and self.broken != "store-before-outputs":
            return None
        if self.begun and self.broken != "store-amid-a-record":
            return None
        last = self.log.at(EVENTS, self.partition, self.position - 1) if self.position > 0 else None
        return self.position, dict(sorted(self.states.items())), dict(self.watermarks.marks), self.rules, self.now, last

    def commit_offset(self):
        """It may be ahead of the store, never of the outputs."""
        return self.position if self.broken == "offset-before-outputs" else self.acknowledged

    def work_at_old_position(self, offset):
        """What a redrive must not be (taken away: the record is worked on where it stood)."""
        record = self.log.at(EVENTS, self.partition, offset)
        state = self.states.get(record.key, Patient())
        self.states[record.key], outputs = match(self.log.shape, 2, state, record)
        self.emit(outputs, offset)


def recover(log, partition, broken):
    """Where nothing is left: what stands in the target partitions already, read from them."""
    found = {}
    for (topic, target), records in log.partitions.items():
        for record in records:
            if record.cause is not None and record.cause[:2] == (EVENTS, partition):
                found[(topic, target)] = max(found.get((topic, target), (-1, -1)), record.cause[2:])
    if broken == "recover-by-the-newest-of-all":
        newest = max(found.values(), default=(-1, -1))
        found = {target: newest for target in log.partitions}
    return found


class Reader:
    """Numbering in one process: all partitions of alerts, and the work list; with a store of its own."""

    def __init__(self, log, stores, broken):
        self.log, self.broken = log, broken
        self.parts = {}
        for topic in (ALERTS, QUARANTINE):
            for partition, _ in log.topic(topic):
                position, heads, rows, marks, last = stores.get((topic, partition), (0, {}, {}, {}, None))
                read_back(log, topic, partition, position, last, broken)
                if broken == "watermarks-not-in-store":
                    marks = {}
                self.parts[(topic, partition)] = [position, dict(heads), dict(rows), Watermarks(broken, marks)]

    def fold(self, topic, partition, most, show):
        part = self.parts[(topic, partition)]
        _, heads, rows, watermarks = part
        for _ in range(most):
            if part[0] >= self.log.end(topic, partition):
                return
            record = self.log.at(topic, partition, part[0])
            part[0] += 1
            if record.kind == "subscribe":
                heads.setdefault((record.key, record.id), 0)
                continue
            self.number(record, heads, rows, watermarks, show)

    def number(self, record, heads, rows, watermarks, show):
        subscriptions = [s for s in heads if s[0] == record.key]
        if record.kind == "item":
            subscriptions = ["work list"]
        if self.broken == "watermark-after-the-filter" and not subscriptions:
            return
        per_subscription = self.broken == "watermark-per-subscription"
        if not per_subscription and not watermarks.is_new(record):
            return
        for subscription in subscriptions:
            if per_subscription and not watermarks.is_new(record, subscription):
                continue
            heads[subscription] = heads.get(subscription, 0) + 1
            rows[(subscription, heads[subscription])] = alert_of(record)
            show(subscription, heads[subscription], alert_of(record))

    def store(self, topic, partition):
        position, heads, rows, watermarks = self.parts[(topic, partition)]
        last = self.log.at(topic, partition, position - 1) if position > 0 else None
        return position, dict(heads), dict(rows), dict(watermarks.marks), last


def alert_of(record):
    """What an alert is of; an item of the work list is of a record's place, for a redriven one may be refused again."""
    if record.kind == "item":
        return record.id, record.cause[1:3]
    return record.id, record.what, record.value
