"""Rows of the crash table about the doors: what a publisher sent and had no answer to is sent again, and counts once."""

import sqlite3

from scene import Broken, LISTENERS
from world import Patient


def message_read_not_appended(scene):
    scene.set_up()
    scene.start("--kill-at", "hl7/message-taken")
    scene.unanswered("A01", "V1", "m1")
    scene.dies()
    scene.start("--kill-at", "cloudevents/message-taken")
    scene.told()  # nothing was there
    if scene.post_event("c1", "V2") is not None:
        raise Broken("the event was answered")
    scene.dies()
    scene.start()
    scene.told(*scene.told_before())
    scene.taken("A01", "V1", "m1")
    status, _ = scene.post_event("c1", "V2")
    if status != 200:
        raise Broken(f"sent again: {status}")
    scene.told(*scene.told_before(), "admitted V1", "admitted V2")


def appended_not_durable(scene):
    """What a death between write and sync can leave: a whole record, half of one, none."""
    scene.set_up()
    for spell, leave in (("whole", None), ("torn", 40), ("torn2", 100), ("none", 0)):
        scene.start("--kill-at", "hl7/events-durable")
        scene.unanswered("A01", spell, f"m-{spell}")
        scene.dies()
        if leave is not None:
            scene.cut_last("events", leave)
        scene.start()
        scene.taken("A01", spell, f"m-{spell}")
        scene.told(*scene.told_before(), f"admitted {spell}")
        scene.stop()


def durable_not_answered(scene):
    scene.set_up()
    scene.start("--kill-at", "hl7/events-durable")
    scene.unanswered("A01", "V1", "m1")
    scene.dies()
    scene.start("--kill-at", "cloudevents/events-durable")
    scene.alerts(LISTENERS[0], 1)  # told without being sent again
    scene.taken("A01", "V1", "m1")
    if scene.post_event("c1", "V2") is not None:
        raise Broken("the event was answered")
    scene.dies()
    scene.start()
    answers = [scene.post_event("c1", "V2") for _ in range(2)]
    found = scene.told("admitted V1", "admitted V2")
    if answers[0] != answers[1] or answers[0] != (200, {"id": found[LISTENERS[0]][1]["data"]["event"]}):
        raise Broken(f"the first answer was not given again: {answers}")


def first_of_two_events_durable(scene):
    scene.set_up()
    scene.start()
    scene.taken("A01", "V1")
    scene.told("admitted V1")
    scene.stop()
    scene.start("--kill-at", "hl7/events-durable")
    scene.unanswered("A03", "V1", "m1", died=True)
    scene.dies()
    scene.cut_last("events")  # the death; the discharge stays
    scene.start()
    scene.taken("A03", "V1", "m1", died=True)
    scene.told(*scene.told_before(), "discharged V1", "died V1")
    scene.taken("A03", "V1", "m1", died=True)
    scene.told(*scene.told_before())


def _keys(scene):
    with sqlite3.connect(f"file:{scene.path('keys.db')}?mode=ro", uri=True) as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return {name: file.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}


def key_made_event_not(scene):
    scene.set_up()
    scene.patient = Patient(next(scene.numbers))
    scene.start("--kill-at", "hl7/key-durable")
    scene.unanswered("A01", "V1", "m1")
    scene.dies()
    scene.start()
    keys = _keys(scene)
    for ods in LISTENERS:
        scene.make(scene.http(scene.listener), "POST", "/registrations", {"patient": scene.patient.number, "subscriber": ods, "role": "gp"})
    scene.taken("A01", "V1", "m1")
    scene.told("admitted V1")
    if _keys(scene) != keys:
        raise Broken(f"another key was made: {keys} became {_keys(scene)}")


def _work_list(scene, count):
    for _ in range(100):
        status, answer, _ = scene.http(scene.publisher).once("GET", "/worklist")
        if status != 200:
            raise Broken(f"GET /worklist: {status} {answer}")
        if len(answer["items"]) >= count:
            break
    return [(one["messageId"], one["kind"]) for one in answer["items"]]


def refusal_listed_not_answered(scene):
    """The A01 has no PV1: it can never be taken."""
    scene.set_up()
    scene.text = lambda trigger, spell, identity: f"MSH|^~\\&|PAS|HOSPA|X|Y|20261124||ADT^A01|{identity}|P|2.4|||AL\rPID|1||1^^^R0A^MR\r".encode()
    scene.start("--kill-at", "hl7/report-durable")
    scene.unanswered("A01", "", "m1")
    scene.dies()
    scene.start()
    listed = _work_list(scene, 1)
    if [one for one, _ in listed] != ["m1"]:
        raise Broken(f"the refused message is not listed: {listed}")
    if scene.send("A01", "", "m1") != "CR":
        raise Broken("sent again it was not refused")
    listed = _work_list(scene, 2)
    if len({*listed}) != 1:
        raise Broken(f"sent again it was refused with another reason: {listed}")


def registration_durable_not_answered(scene):
    scene.set_up()
    scene.patient = Patient(next(scene.numbers))
    bodies = [{"patient": scene.patient.number, "subscriber": ods, "role": "gp"} for ods in LISTENERS]
    scene.start("--kill-at", "api/events-durable")
    if scene.try_once("POST", "/registrations", bodies[0], scene.listener, {"Idempotency-Key": "k1"}) is not None:
        raise Broken("the registration was answered")
    scene.dies()
    scene.start()
    http = scene.http(scene.listener)
    made = [scene.make(http, "POST", "/registrations", bodies[0], {"Idempotency-Key": "k1"})["id"] for _ in range(2)]
    scene.make(http, "POST", "/registrations", bodies[1])
    _, listed, _ = http.once("GET", f"/registrations?subscriber={LISTENERS[0]}")
    same = [one["id"] for one in listed["items"] if one["id"] in made]
    if made[0] != made[1] or same != made[:1] or len(listed["items"]) != 2:
        raise Broken(f"made {made}, listed {listed}")
    scene.taken("A01", "V1")
    found = scene.told("admitted V1")
    because = [one["registration"] for one in found[LISTENERS[0]][0]["data"]["because"]]
    if because != made[:1]:
        raise Broken(f"told because of {because}")


def subscription_durable_not_answered(scene):
    scene.set_up()
    body = {"subscriber": LISTENERS[0], "types": ["encounter-*-1"], "channel": {"kind": "pull"}}
    scene.start("--kill-at", "api/append-durable")
    if scene.try_once("POST", "/subscriptions", body, scene.listener, {"Idempotency-Key": "k1"}) is not None:
        raise Broken("the subscription was answered")
    scene.dies()
    scene.start()
    scene.taken("A01", "V1")
    scene.told("admitted V1")
    made = [scene.make(scene.http(scene.listener), "POST", "/subscriptions", body, {"Idempotency-Key": "k1"})["id"] for _ in range(2)]
    if made[0] != made[1] or made[0] in scene.subscriptions.values():
        raise Broken(f"made {made}")
    scene.subscriptions[LISTENERS[0]] = made[0]
    scene.told(*scene.told_before())  # from its place in the log, though nobody knew its id yet


def receipt_appended_not_answered(scene):
    scene.set_up()
    scene.start()
    scene.taken("A01", "V1")
    before = scene.told("admitted V1")
    scene.stop()
    path = f"/subscriptions/{scene.subscriptions[LISTENERS[0]]}/receipts"
    body = {"number": 1, "state": "opened", "by": "nurse"}
    scene.start("--kill-at", "api/append-durable")
    if scene.try_once("POST", path, body, scene.listener) is not None:
        raise Broken("the receipt was answered")
    scene.dies()
    scene.start()
    scene.make(scene.http(scene.listener), "POST", path, body, expected=(204,))
    if scene.told(*scene.told_before())[LISTENERS[0]][:2] != before[LISTENERS[0]]:
        raise Broken("an alert changed")


ROWS = (
    message_read_not_appended,
    appended_not_durable,
    durable_not_answered,
    first_of_two_events_durable,
    key_made_event_not,
    refusal_listed_not_answered,
    registration_durable_not_answered,
    subscription_durable_not_answered,
    receipt_appended_not_answered,
)
