"""An independent count: which alerts a feed of HL7 v2 messages must give, from the messages and the published rules alone.

Nothing here comes from the program: the rules are those of docs and domain, read again by another hand, in another language."""

import datetime
import fnmatch
import re
import zoneinfo

LONDON = zoneinfo.ZoneInfo("Europe/London")
ONLY_WHEN_NAMED = {"encounter-registered-1", "encounter-preadmitted-1"}
NHS_LABELS = {"NHS", "NHSNBR", "NHSNMBR", "NH"}


def messages_of(data):
    """The messages of a file in which they stand one after another, each as text with segments that end in CR."""
    text = data.decode("utf-8").replace("\r\n", "\r").replace("\n", "\r")
    return [one.strip("\r") + "\r" for one in re.split(r"(?:^|(?<=\r))(?=MSH\|)", text) if one.startswith("MSH|")]


class Message:
    def __init__(self, text):
        self.segments = {}
        for line in text.split("\r"):
            fields = line.split("|")
            self.segments.setdefault(fields[0], fields)
        self.control_id = self.field("MSH", 10)
        self.type, _, rest = self.field("MSH", 9).partition("^")
        self.trigger = rest.split("^")[0]

    def field(self, segment, number):
        fields = self.segments.get(segment, [])
        number -= segment == "MSH"  # MSH-1 is the separator itself
        return fields[number] if number < len(fields) else ""

    def part(self, segment, number, component=1):
        components = self.field(segment, number).split("~")[0].split("^")
        return components[component - 1] if component <= len(components) else ""

    def nhs_number(self):
        """The NHS number of PID-3 where it is labelled as one and its check digit is right; else None."""
        for repetition in self.field("PID", 3).split("~"):
            parts = repetition.split("^") + [""] * 6
            number = parts[0].replace(" ", "")
            if ({parts[3], parts[4], parts[5]} & NHS_LABELS) and is_nhs_number(number):
                return number
        return None

    def time(self, *fields):
        """The first of these fields that is a time, as the interface writes it."""
        for segment, number in fields:
            digits = self.part(segment, number)
            if re.fullmatch(r"\d{14}", digits):
                local = datetime.datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=LONDON)
                return local.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return None


def is_nhs_number(text):
    if not re.fullmatch(r"\d{10}", text):
        return False
    remainder = sum(int(digit) * (10 - place) for place, digit in enumerate(text[:9])) % 11
    return (11 - remainder) % 11 == int(text[9])


class Fact:
    """Something that was told, and to whom."""

    def __init__(self, kind, routine):
        self.kind, self.routine, self.stands = kind, routine, True
        self.had = set()  # subscriptions


class Count:
    """Expected alerts. Messages, registrations and subscriptions are given in the order in which the broker gets them."""

    def __init__(self):
        self.registered = {}  # NHS number: list of (subscriber, role)
        self.subscriptions = {}  # name: (subscriber, types, roles)
        self.facts = {}  # (NHS number, spell): list of Fact
        self.seen = set()  # what came before, by sender, MSH-3 and MSH-10
        self.expected = {}  # name: list of (NHS number, kind, type, spell, time)

    def subscribe(self, name, subscriber, types=(), roles=()):
        self.subscriptions[name] = (subscriber, types, roles)
        self.expected[name] = []

    def register(self, nhs_number, subscriber, role):
        self.registered.setdefault(nhs_number, []).append((subscriber, role))

    def end(self, nhs_number, subscriber, role):
        self.registered[nhs_number].remove((subscriber, role))

    def message(self, text):
        message = Message(text)
        identity = (message.part("MSH", 3), message.part("MSH", 4), message.control_id)
        if identity in self.seen:
            return
        self.seen.add(identity)
        reading = {"A01": self.admitted, "A02": self.transferred, "A03": self.discharged, "A04": self.arrived,
                   "A11": self.admission_cancelled, "A13": self.discharge_cancelled}.get(message.trigger)
        number = message.nhs_number()
        if message.type != "ADT" or reading is None or number is None:
            return
        reading(message, (number, message.part("PV1", 19)))

    # ---- what a trigger means ----

    def admitted(self, message, stay):
        self.news_once(stay, "encounter-admitted-1", message.time(("PV1", 44), ("EVN", 6), ("EVN", 2), ("MSH", 7)))

    def arrived(self, message, stay):
        kind = "encounter-ed-arrived-1" if message.part("PV1", 2) == "E" else "encounter-registered-1"
        self.news_once(stay, kind, message.time(("PV1", 44), ("EVN", 6), ("EVN", 2), ("MSH", 7)))

    def transferred(self, message, stay):
        before, now = message.part("PV1", 6, 4), message.part("PV1", 3, 4)
        routine = not before or not now or before == now
        if not self.facts.get(stay):  # a stay never seen: the message implies the admission, and tells that
            time = message.time(("PV1", 44), ("EVN", 6), ("EVN", 2), ("MSH", 7))
            kind = {"E": "encounter-ed-arrived-1", "I": "encounter-admitted-1", "B": "encounter-admitted-1",
                    "D": "encounter-admitted-1"}.get(message.part("PV1", 2), "encounter-registered-1")
            return self.news(stay, kind, time, routine=False)
        self.news(stay, "encounter-transferred-1", message.time(("EVN", 6), ("EVN", 2), ("MSH", 7)), routine)

    def discharged(self, message, stay):
        time = message.time(("PV1", 45), ("EVN", 6), ("EVN", 2), ("MSH", 7))
        self.news_once(stay, "encounter-discharged-1", time)
        if message.part("PV1", 36) in ("4", "5") or message.part("PID", 30) == "Y":
            self.news_once(stay, "patient-died-1", message.time(("PID", 29)) or time)

    def admission_cancelled(self, message, stay):
        self.take_back(message, stay, ("encounter-admitted-1", "encounter-ed-arrived-1", "encounter-registered-1"))

    def discharge_cancelled(self, message, stay):
        self.take_back(message, stay, ("encounter-discharged-1", "patient-died-1"))

    # ---- who is told ----

    def news_once(self, stay, kind, time):
        if not any(fact.kind == kind and fact.stands for fact in self.facts.get(stay, [])):
            self.news(stay, kind, time, routine=False)

    def news(self, stay, kind, time, routine):
        fact = Fact(kind, routine)
        self.facts.setdefault(stay, []).append(fact)
        for name, (subscriber, types, roles) in self.subscriptions.items():
            held = {role for who, role in self.registered.get(stay[0], []) if who == subscriber}
            if held and (not roles or held & set(roles)) and wants(types, kind, routine):
                fact.had.add(name)
                self.expected[name].append((stay[0], "new", kind, stay[1], time))

    def take_back(self, message, stay, kinds):
        time = message.time(("EVN", 6), ("EVN", 2), ("MSH", 7))
        for fact in self.facts.get(stay, []):
            if fact.stands and fact.kind in kinds:
                fact.stands = False
                for name in self.subscriptions:
                    if name in fact.had:
                        self.expected[name].append((stay[0], "retraction", "encounter-cancelled-1", stay[1], time))


def wants(types, kind, routine):
    if kind in types:
        return True
    if routine or kind in ONLY_WHEN_NAMED:
        return False
    return not types or any(fnmatch.fnmatchcase(kind, pattern) for pattern in types)


def by_patient(alerts):
    """{NHS number: what was told of it, in order}: between patients no order is promised."""
    found = {}
    for alert in alerts:
        found.setdefault(alert[0], []).append(alert[1:])
    return found
