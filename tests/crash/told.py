"""What was told, and what must have been: expected from what was acknowledged alone, knowing nothing of how it is done."""

import threading
import time

from running import Broken
from world import CANCELLED, CARE_PLAN

SAME_MOMENT_S = 0.005  # the broker compares times in whole milliseconds


class Seen:
    """What the readers of one subscription have seen: number -> alert, and by what each is about."""

    def __init__(self, subscription):
        self.subscription = subscription
        self.alerts = {}
        self.by_id, self.by_key = {}, {}
        self.whole = 0  # 1..whole are there
        self.checked = 0  # order is checked up to here
        self.last_place = {}  # (patient, line) -> place of the last alert


class Told:
    def __init__(self):
        self.lock = threading.Lock()
        self.seen, self.events, self.by_key, self.cancelled_by = {}, [], {}, {}
        self.told_events = 0  # nothing is missing of those before it
        self.rereads = 0

    def add_subscription(self, subscription):
        with self.lock:
            self.seen[subscription.id] = Seen(subscription)

    def add_events(self, events):
        with self.lock:
            for event in events:
                self.events.append(event)
                self.by_key[event.key] = event
                for cancelled in event.cancels:
                    self.cancelled_by[cancelled.key] = event

    # ---- as it is read ----

    def note(self, subscription, number, alert):
        """One alert, from whatever channel, for the first time or again."""
        with self.lock:
            seen = self.seen[subscription]
            data = alert["data"]
            if data["number"] != number or data["subscription"] != subscription:
                raise Broken(f"{subscription}: number {number} carries number {data['number']} of {data['subscription']}")
            known = seen.alerts.get(number)
            if known is not None:
                self.rereads += 1
                if known != alert:
                    raise Broken(f"changed: {subscription} number {number} was {_short(known)} and is {_short(alert)}")
                return
            if alert["id"] in seen.by_id:
                raise Broken(f"doubled: {subscription} has alert {alert['id']} as {seen.by_id[alert['id']]} and {number}: {_short(alert)}")
            key = self._key(seen, alert)
            if key in seen.by_key:
                raise Broken(f"doubled: {subscription} was told of {key} as {seen.by_key[key]} and {number}: {_short(alert)}")
            seen.alerts[number] = alert
            seen.by_id[alert["id"]] = number
            seen.by_key[key] = number
            while seen.whole + 1 in seen.alerts:
                seen.whole += 1

    def _key(self, seen, alert):
        data = alert["data"]
        if data["kind"] == "retraction":
            return ("retraction", data["concerns"])
        about = data["carePlan"]["id"] if alert["type"] == CARE_PLAN else data["encounter"]["spell"]
        key = (alert["subject"], about, alert["type"])
        event = self.by_key.get(key)
        if event is None:
            raise Broken(f"invented: {seen.subscription.id} was told of what nobody sent: {_short(alert)}")
        if event.id is not None and event.id != data["event"]:
            raise Broken(f"{seen.subscription.id}: {_short(alert)} names event {data['event']}, its publisher was answered {event.id}")
        return key

    def highest(self, subscription):
        with self.lock:
            return max(self.seen[subscription].alerts, default=0)

    # ---- when everything rests ----

    def missing(self):
        """What the first acknowledged events that miss something have not told yet. Goes on where it was."""
        with self.lock:
            while self.told_events < len(self.events):
                lost = [one for seen in self.seen.values() for one in self._missing_of(seen, self.events[self.told_events])]
                if lost:
                    return lost
                self.told_events += 1
        return []

    def _missing_of(self, seen, event):
        name = seen.subscription.id
        if event.acknowledged is None:
            return []
        if event.kind != CANCELLED:
            lost = _must_be_told(seen.subscription, event) and event.key not in seen.by_key
            return [f"lost: {name} was not told of {event.key}, {event.line}-{event.place}"] if lost else []
        originals = [seen.by_key[one.key] for one in event.cancels if one.key in seen.by_key]
        ids = [seen.alerts[number]["id"] for number in originals]
        return [f"lost: {name} was not told that {event.line}-{event.place} takes back {one}" for one in ids if ("retraction", one) not in seen.by_key]

    def check(self):
        """Nothing missing: now nothing too much, and all in order. What is checked once is not looked at again."""
        with self.lock:
            for seen in self.seen.values():
                if seen.whole != len(seen.alerts):
                    raise Broken(f"gap: {seen.subscription.id} has {len(seen.alerts)} alerts and no number {seen.whole + 1}")
                for number in range(seen.checked + 1, seen.whole + 1):
                    self._check_alert(seen, number)
                seen.checked = seen.whole
            return sum(seen.whole for seen in self.seen.values())

    def _check_alert(self, seen, number):
        alert = seen.alerts[number]
        if alert["data"]["kind"] == "retraction":
            original = seen.by_id.get(alert["data"]["concerns"])
            if original is None or original > number:
                raise Broken(f"{seen.subscription.id} number {number} takes back what was not told before: {_short(alert)}")
            event = self.cancelled_by.get(self._key(seen, seen.alerts[original]))
            if event is None:
                raise Broken(f"invented: {seen.subscription.id} number {number} takes back what nobody took back: {_short(alert)}")
        else:
            event = self.by_key[self._key(seen, alert)]
            _check_because(seen.subscription, event, alert)
        at = (event.patient.number, event.line)
        if seen.last_place.get(at, 0) > event.place:
            raise Broken(f"order: {seen.subscription.id} number {number} of {event.line}-{event.place} comes after {event.line}-{seen.last_place[at]}")
        seen.last_place[at] = event.place


def _short(alert):
    return f"{alert['type']} {alert['id']} of event {alert['data'].get('event')} ({alert['data'].get('kind')})"


def _before(a, b):
    return a is not None and (b is None or a + SAME_MOMENT_S < b)


def _is_because(registration, event):
    """(surely, perhaps): was it live at the event, whenever in the time between sending and answer that was?"""
    sent, answered = event.sent, event.acknowledged
    surely = _before(registration.acknowledged, sent) and _before(answered, registration.end_sent)
    perhaps = (answered is None or registration.sent < answered) and (registration.end_acknowledged is None or registration.end_acknowledged > sent - SAME_MOMENT_S)
    return surely, perhaps


def _must_be_told(subscription, event):
    if not subscription.wants(event.kind) or not _before(subscription.acknowledged, event.sent):
        return False
    return any(one.subscriber == subscription.subscriber and _is_because(one, event)[0] for one in list(event.patient.registrations))


def _check_because(subscription, event, alert):
    """Exactly the registrations that were live; those that came or went in the same moment may be there or not."""
    named = {one["registration"] for one in alert["data"]["because"]}
    for registration in list(event.patient.registrations):
        if registration.subscriber != subscription.subscriber or registration.sent is None:
            continue
        surely, perhaps = _is_because(registration, event)
        if registration.id in named and not perhaps or surely and registration.id not in named:
            raise Broken(f"because: {_short(alert)} {'names' if registration.id in named else 'does not name'} {registration.id}")
        named.discard(registration.id)
    named -= {None}
    unknown = [one for one in event.patient.registrations if one.id is None and one.sent is not None and one.subscriber == subscription.subscriber]
    if len(named) > len(unknown):
        raise Broken(f"because: {_short(alert)} names {named}, which {subscription.subscriber} has not")


def wait_told(told, seconds, is_over):
    """Waits until nothing is missing, as long as something still comes."""
    deadline = time.monotonic() + seconds
    count = -1
    while lost := told.missing():
        now = sum(len(seen.alerts) for seen in told.seen.values())
        if now != count:
            count, deadline = now, time.monotonic() + seconds
        if time.monotonic() > deadline:
            raise Broken("\n".join(lost))
        is_over(0.02)
