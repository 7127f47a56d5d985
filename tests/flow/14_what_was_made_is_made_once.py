"""Every answer that changes something says where it stands, and the same request again makes nothing new."""

import json

import tidings
from tidings import until


class MadeOnce(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.practice = self.broker.practice()
        self.subscribing = {"subscriber": self.practice.id, "channel": {"kind": "pull"}}
        self.registering = {"patient": self.patient.nhs_number, "subscriber": self.practice.id, "role": "gp"}

    def make(self, path, body, key=None, status=201):
        headers = {"Idempotency-Key": key} if key else {}
        return self.broker.must(status, "POST", path, self.practice.token, body, headers)

    def test_1_the_same_key_makes_one_subscription(self):
        first = self.make("/subscriptions", self.subscribing, "key-1")
        again = self.make("/subscriptions", self.subscribing, "key-1")
        self.assertEqual(first.json["id"], again.json["id"])
        other = self.make("/subscriptions", self.subscribing, "key-2")
        none = self.make("/subscriptions", self.subscribing)
        self.assertEqual(len({one.json["id"] for one in (first, other, none)}), 3)
        listed = self.broker.must(200, "GET", "/subscriptions", self.practice.token, after=none).json["items"]
        self.assertEqual(len(listed), 3)

    def test_2_the_same_key_makes_one_registration(self):
        first = self.make("/registrations", self.registering, "key-1")
        again = self.make("/registrations", self.registering, "key-1")
        self.assertEqual(first.json, again.json)
        path = f"/registrations?subscriber={self.practice.id}"
        self.assertEqual(len(self.broker.must(200, "GET", path, self.practice.token, after=first).json["items"]), 1)

    def test_3_the_same_key_with_another_content_is_a_conflict(self):
        first = self.make("/subscriptions", self.subscribing, "key-1")
        self.broker.must(200, "GET", "/subscriptions", self.practice.token, after=first)
        self.make("/subscriptions", {**self.subscribing, "payload": "empty"}, "key-1", 409)
        first = self.make("/registrations", self.registering, "key-1")
        self.broker.must(200, "GET", f"/registrations?subscriber={self.practice.id}", self.practice.token, after=first)
        self.make("/registrations", {**self.registering, "role": "carer"}, "key-1", 409)

    def test_4_another_organisations_key_is_another_key(self):
        other = self.broker.practice()
        first = self.make("/subscriptions", self.subscribing, "key-1").json["id"]
        body = {**self.subscribing, "subscriber": other.id}
        second = self.broker.must(201, "POST", "/subscriptions", other.token, body, {"Idempotency-Key": "key-1"}).json["id"]
        self.assertNotEqual(first, second)

    def test_5_also_after_a_restart(self):
        made = [self.make("/subscriptions", self.subscribing, "key-1"), self.make("/registrations", self.registering, "key-1")]
        self.broker.restart()
        again = [self.make("/subscriptions", self.subscribing, "key-1"), self.make("/registrations", self.registering, "key-1")]
        self.assertEqual([one.json["id"] for one in made], [one.json["id"] for one in again])

    def test_6_every_change_says_where_it_stands(self):
        broker, practice = self.broker, self.practice
        subscription = practice.subscribe()
        registration = practice.register(self.patient)
        self.hospital.tell("A01", self.patient)
        subscription.alerts(1)
        token = broker.must(201, "POST", "/tokens", broker.operator, {"organisations": [practice.id], "roles": ["auditor"]})
        broker.secrets.add(token.json["token"].split(".", 1)[1])
        link = broker.must(201, "POST", "/tokens/link", broker.operator, {"organisation": practice.id})
        broker.secrets.add(link.json["code"].split(".", 1)[1])
        body = {"name": "Practice", "kind": "gp-practice"}
        team = {"kind": "team", "organisation": practice.id, "name": "Team"}
        changes = [subscription.made, registration, token, link]
        changes += [broker.ask(*one) for one in (
            ("PUT", f"/organisations/{practice.id}", broker.operator, body), ("PUT", f"/subscribers/{practice.id}-t", practice.token, team),
            ("PATCH", subscription.path, practice.token, {"own": True}), ("POST", f"{subscription.path}/pause", practice.token),
            ("POST", f"{subscription.path}/resume", practice.token),
            ("POST", f"{subscription.path}/receipts", practice.token, {"number": 1, "state": "opened"}),
            ("POST", f"/registrations/{registration.json['id']}/end", practice.token),
            ("DELETE", subscription.path, practice.token), ("DELETE", f"/tokens/{token.json['id']}", broker.operator))]
        changes.append(self.hospital.post(self.hospital.event("care-plan-changed-1", self.patient)))
        for one in changes:
            self.assertIn(one.status, (200, 201, 204), one)
            self.assertTrue(one.position, one)
            self.assertEqual(broker.ask("GET", "/subscriptions", practice.token, after=one).status, 200, one)

    def test_7_receipts(self):
        subscription = self.practice.subscribe()
        self.practice.register(self.patient)
        self.hospital.tell("A01", self.patient)
        subscription.alerts(1)
        path = f"{subscription.path}/receipts"
        for body in ({"number": 1, "state": "opened", "by": f"Nurse {self.patient.given}"}, {"number": 1, "state": "acknowledged"},
                     {"number": 1, "state": "opened"}):
            self.make(path, body, status=204)
        for body, at in (({"number": 2, "state": "opened"}, "/number"), ({"number": 0, "state": "opened"}, "/number"),
                         ({"number": 1, "state": "eaten"}, "/state"), ({"number": 1}, "/state"), ({"number": "1", "state": "opened"}, "/number"),
                         ({"number": 1, "state": "opened", "by": ""}, "/by"), ({"number": 1, "state": "delivered"}, "/state")):
            said = self.make(path, body, status=400)
            self.assertTrue(any(one["at"].startswith(at) for one in said.json["errors"]), (body, said))
        self.assertEqual(subscription.page().json["head"], 1, "a receipt gives no number")

    def test_8_organisations_are_known_to_publish_at_once(self):
        for _ in range(10):
            self.broker.hospital().tell("A01", self.patient)

    def test_9_tokens_are_usable_at_once(self):
        for _ in range(10):
            token = self.broker.token([self.hospital.id], ["publisher"])
            self.assertEqual(self.hospital.post(self.hospital.event("care-plan-changed-1", self.patient), token).status, 200)

    def test_10_the_work_list_has_pages(self):
        with self.hospital.mllp() as connection:
            for count in range(25):
                connection.ask(self.hospital.adt("A01", self.patient, processing="T", control_id=f"PAGE{count:02}"))
        until(lambda: len(self.broker.work_list(self.hospital.token)) == 25, what="25 items")
        seen, after = [], ""
        while True:
            page = self.broker.must(200, "GET", "/worklist?limit=10" + after, self.hospital.token).json
            seen += [one["messageId"] for one in page["items"]]
            if "next" not in page:
                break
            after = "&after=" + page["next"]
        self.assertEqual(sorted(seen), [f"PAGE{count:02}" for count in range(25)])
        self.assertNotIn(self.patient.nhs_number, json.dumps(page))


if __name__ == "__main__":
    tidings.main()
