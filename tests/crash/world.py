"""Who is in the crash harness's world: hospitals that send, practices and homes that listen, patients, and what happens to them."""

import datetime
import json

HOSPITALS = {"R0A": "HOSPA", "R0B": "HOSPB", "R0C": "HOSPC"}  # ODS code -> its name in MSH-4
CLOUD = ("R0D", "urn:crash:r0d")  # sends CloudEvents
SUBSCRIBERS = {
    "A81001": "gp-practice",
    "A81002": "gp-practice",
    "A81003": "gp-practice",
    "VN001": "care-home",
    "VN002": "care-home",
    "RYX": "community",
}
ROLES = {"gp-practice": "gp", "care-home": "care-home", "community": "community"}
DISCHARGED, DIED, ADMITTED = "encounter-discharged-1", "patient-died-1", "encounter-admitted-1"
CARE_PLAN, CANCELLED = "care-plan-changed-1", "encounter-cancelled-1"


def nhs_numbers():
    """Synthetic numbers, 999 000 0000 to 999 999 9999, with right check digits."""
    for first in range(999000000, 1000000000):
        digit = 11 - sum(int(d) * (10 - i) for i, d in enumerate(str(first))) % 11
        if digit != 10:
            yield f"{first}{digit % 11}"


class Registration:
    """Times are monotonic seconds; None: not yet."""

    def __init__(self, patient, subscriber, role):
        self.patient, self.subscriber, self.role = patient, subscriber, role
        self.sent = self.acknowledged = self.end_sent = self.end_acknowledged = self.id = None


class Subscription:
    def __init__(self, subscriber, types):
        self.subscriber, self.types = subscriber, types
        self.sent = self.acknowledged = self.id = None

    def wants(self, kind):
        return self.types is None or kind in self.types


class Event:
    """Something that happened; what an alert of it will say is its key. cancels: the events that it takes back."""

    def __init__(self, patient, about, kind, line, place, cancels=()):
        self.patient, self.about, self.kind = patient, about, kind
        self.line, self.place = line, place  # which connection sent it, and as its how manieth
        self.cancels = cancels
        self.sent = self.acknowledged = self.id = None
        self.key = (patient.number, about, kind)


class Patient:
    def __init__(self, number):
        self.number = number
        self.registrations = []
        self.stays = 0


class Message:
    """What a publisher sends, and sends again until it is acknowledged: one HL7 message or CloudEvent, its events."""

    def __init__(self, identity, events, render):
        self.identity, self.events, self.render = identity, events, render

    def was_sent(self, now):
        for event in self.events:
            if event.sent is None:
                event.sent = now

    def was_acknowledged(self, now):
        for event in self.events:
            if event.acknowledged is None:
                event.acknowledged = now


def stamp():
    return datetime.datetime.now(datetime.timezone.utc)


def adt(trigger, identity, hospital, patient, spell, died=False):
    """An ADT message in the English style; MSH-7 is the time of sending, so one that is sent again is restamped."""
    pv1 = [""] * 46
    pv1[0:4] = ["PV1", "1", "I", f"W12^1^3^{hospital}02"]
    pv1[7], pv1[19], pv1[44] = "C123^Jones", spell, "20261124095500"
    if trigger == "A03":
        pv1[36], pv1[45] = "4" if died else "1", "20261124120000"
    segments = (
        rf"MSH|^~\&|PAS|{HOSPITALS[hospital]}|X|Y|{stamp():%Y%m%d%H%M%S}||ADT^{trigger}|{identity}|P|2.4|||AL",
        f"EVN|{trigger}|20261124100000",
        f"PID|1||{patient.number[3:]}^^^{hospital}^MR~{patient.number}^^^NHS^NH||Smith^Anne||19500201|F",
        "|".join(pv1),
    )
    return "\r".join(segments).encode() + b"\r"


def cloud_event(identity, kind, patient, data):
    return {
        "specversion": "1.0",
        "id": identity,
        "source": CLOUD[1],
        "type": kind,
        "time": "2026-11-24T10:00:00Z",
        "subject": patient.number,
        "data": {"patient": {"nhsNumber": patient.number}, **data},
    }


class Line:
    """One connection of a publisher: numbers what it sends."""

    def __init__(self, hospital, name):
        self.hospital, self.name, self.sent = hospital, name, 0

    def next_identity(self):
        self.sent += 1
        return f"{self.name}-{self.sent}"

    def stay(self, patient, random):
        """The messages of one stay: admitted, perhaps taken back; discharged or died, perhaps taken back."""
        patient.stays += 1
        spell = f"{self.name}{patient.number[-6:]}{patient.stays}"
        admitted = self._adt("A01", patient, spell, [ADMITTED])
        yield admitted
        way = random.random()
        if way < 0.2:
            yield self._adt("A11", patient, spell, [CANCELLED], admitted.events)
        elif way < 0.9:
            died = way > 0.75
            over = self._adt("A03", patient, spell, [DISCHARGED] + [DIED] * died, died=died)
            yield over
            if way < 0.35 or way > 0.82:
                yield self._adt("A13", patient, spell, [CANCELLED], over.events)

    def _adt(self, trigger, patient, spell, kinds, cancels=(), died=False):
        identity = self.next_identity()
        events = [Event(patient, spell, kind, self.name, self.sent, cancels) for kind in kinds]
        return Message(identity, events, lambda: adt(trigger, identity, self.hospital, patient, spell, died))


class CloudLine(Line):
    def stay(self, patient, random):
        if random.random() < 0.4:
            yield self._event(CARE_PLAN, patient, lambda at: {"carePlan": {"id": at, "title": "Falls"}})
            return
        patient.stays += 1
        spell = f"{self.name}{patient.number[-6:]}{patient.stays}"
        where = {"encounter": {"spell": spell, "class": "inpatient", "organisation": CLOUD[0], "ward": "W1"}}
        admitted = self._event(ADMITTED, patient, lambda at: where, spell)
        yield admitted
        if random.random() < 0.3:
            yield self._event(CANCELLED, patient, lambda at: {"cancels": admitted.identity, **where}, spell, admitted.events)
        else:
            yield self._event(DISCHARGED, patient, lambda at: where, spell)

    def _event(self, kind, patient, data, about=None, cancels=()):
        identity = self.next_identity()
        event = Event(patient, about or identity, kind, self.name, self.sent, cancels)
        text = json.dumps(cloud_event(identity, kind, patient, data(identity)))
        return Message(identity, [event], lambda: text)
