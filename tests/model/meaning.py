"""What records mean: matching and numbering as pure functions, as small as still shows a loss, a double or a wrong order."""

from typing import NamedTuple, Optional

EVENTS, ALERTS, QUARANTINE = "events", "alerts", "quarantine"
OVERDUE_AFTER = 6  # ticks of the walk's clock


class Cause(NamedTuple):
    """What made an output: the record, and the place among all that this record made a fold emit."""

    topic: str
    partition: int
    offset: int
    index: int


class Record(NamedTuple):
    kind: str  # events: register care rules tick; alerts: subscribe telling; quarantine: item
    id: int = 0
    key: int = 0  # a patient, or a subscriber
    value: int = 0  # register: the subscriber; rules: which; tick: the time; telling: the patient's count of events
    what: str = ""  # telling: "news" "overdue"; care: flags of letters d (has a deadline), l (makes a linked event), p (poison)
    at: int = 0  # recordedAt
    cause: Optional[Cause] = None

    def __repr__(self):
        parts = [self.kind, f"event {self.id}" if self.id else "", f"key {self.key}", self.what]
        parts.append(f"({self.value})" if self.value else "")
        return " ".join(part for part in parts if part)


class Patient(NamedTuple):
    """State of a patient's key."""

    count: int = 0
    applied: frozenset = frozenset()
    registered: tuple = ()
    deadline: Optional[int] = None
    waits_for: int = 0  # the event whose deadline it is


class Shape(NamedTuple):
    """How many partitions and keys there are."""

    events: int
    alerts: int
    patients: int
    subscribers: int

    def partition(self, topic, key):
        return key % {EVENTS: self.events, ALERTS: self.alerts, QUARANTINE: 1}[topic]


def match(shape, rules, patient, record, keeps_identities=True):
    """(rules, state, event) -> (state, outputs). Outputs are (topic, partition, record without its cause)."""
    if keeps_identities and record.id in patient.applied:
        return patient, []
    if "p" in record.what and rules < 2:  # cannot succeed under these rules: set aside, and not counted as applied
        return patient, [(QUARANTINE, 0, Record("item", record.id, record.key, what=record.what, at=record.at))]
    count = patient.count + 1
    patient = patient._replace(count=count, applied=patient.applied | {record.id})
    if record.kind == "register":
        changed = set(patient.registered) ^ {record.value}
        return patient._replace(registered=tuple(sorted(changed))), []
    outputs = tellings(shape, patient, record.id, "news", record.at)
    if rules >= 2:  # changed behaviour: whoever is told is told of the practice's copy as well
        outputs += tellings(shape, patient, record.id, "copy", record.at)
    if "l" in record.what:
        other = (record.key + 1) % shape.patients
        linked = Record("care", -record.id, other, at=record.at, what=record.what.replace("l", "").replace("p", ""))
        outputs.insert(len(outputs) // 2, (EVENTS, shape.partition(EVENTS, other), linked))
    if "d" in record.what:
        patient = patient._replace(deadline=record.at + OVERDUE_AFTER, waits_for=record.id)
    return patient, outputs


def wake(shape, patient):
    """A deadline of the key has passed."""
    outputs = tellings(shape, patient, patient.waits_for, "overdue", patient.deadline)
    return patient._replace(deadline=None, waits_for=0), outputs


def tellings(shape, patient, event, what, at):
    return [
        (ALERTS, shape.partition(ALERTS, who), Record("telling", event, who, patient.count, what, at))
        for who in patient.registered
    ]


def due(states, now):
    """Keys whose deadline has passed, in order of (deadline, key)."""
    return [key for _, key in sorted((s.deadline, k) for k, s in states.items() if s.deadline is not None and s.deadline <= now)]


class Log:
    """The truth: topics, partitions, records; an offset is a place in the list."""

    def __init__(self, shape):
        self.shape = shape
        self.partitions = {(EVENTS, p): [] for p in range(shape.events)}
        self.partitions.update({(ALERTS, p): [] for p in range(shape.alerts)})
        self.partitions[(QUARANTINE, 0)] = []

    def append(self, topic, partition, record):
        records = self.partitions[(topic, partition)]
        records.append(record)
        return len(records) - 1

    def end(self, topic, partition):
        return len(self.partitions[(topic, partition)])

    def at(self, topic, partition, offset):
        return self.partitions[(topic, partition)][offset]

    def topic(self, topic):
        return [(p, records) for (t, p), records in self.partitions.items() if t == topic]
