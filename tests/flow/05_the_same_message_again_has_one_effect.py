"""Duplicates are answered as the first time and have one effect; the same id with another content is a conflict."""

import json

import tidings
import wire
from tidings import kinds, until

NEWS = [("new", "encounter-admitted-1")]


class TheSameMessage(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.practice = self.broker.practice()
        self.practice.register(self.patient)
        self.subscription = self.practice.subscribe()

    def had(self):
        (had,) = self.hospital.mark(self.patient, self.subscription)
        return kinds(had)

    def items(self):
        return [(one["kind"], one["messageId"]) for one in self.broker.work_list(self.hospital.token)]

    def test_1_on_the_same_connection(self):
        message = self.hospital.adt("A01", self.patient)
        with self.hospital.mllp() as connection:
            answers = [connection.ask(message) for _ in range(3)]
        self.assertEqual([one.code for one in answers], ["AA"] * 3)
        self.assertEqual(self.had(), NEWS)

    def test_2_on_another_connection_stamped_again(self):
        for time in ("20261124100000", "20261124100005", "20261124100500"):
            said = self.hospital.tell("A01", self.patient, control_id="SAME2", _7=time).control_id
            self.assertEqual(said, "SAME2")
        self.assertEqual(self.had(), NEWS)

    def test_3_twice_in_one_read(self):
        message = wire.frame(self.hospital.adt("A01", self.patient))
        with self.hospital.mllp() as connection:
            connection.send_bytes(message * 5)
            self.assertEqual([connection.receive().code for _ in range(5)], ["AA"] * 5)
        self.assertEqual(self.had(), NEWS)

    def test_4_at_once_on_many_connections(self):
        message = self.hospital.adt("A01", self.patient)
        connections = [self.hospital.mllp() for _ in range(8)]
        for connection in connections:
            connection.send(message)
        self.assertEqual([connection.receive().code for connection in connections], ["AA"] * 8)
        for connection in connections:
            connection.close()
        self.assertEqual(self.had(), NEWS)

    def test_5_a_message_of_two_events(self):
        self.hospital.tell("A01", self.patient)
        for _ in range(2):
            self.hospital.tell("A03", self.patient, control_id="SAME5", method="4")
        self.assertEqual(self.had(), NEWS + [("new", "encounter-discharged-1"), ("new", "patient-died-1")])

    def test_6_a_cloudevent_in_another_order_of_members(self):
        event = self.hospital.event("encounter-admitted-1", self.patient)
        turned = dict(reversed(event.items()))
        turned["data"] = dict(reversed(event["data"].items()))
        answers = [self.hospital.post(one) for one in (event, turned, json.dumps(event, indent=4).encode())]
        self.assertEqual([one.status for one in answers], [200] * 3)
        self.assertEqual(len({one.json["id"] for one in answers}), 1)
        self.assertEqual(self.had(), NEWS)

    def test_7_a_batch_again_and_in_part(self):
        events = [self.hospital.event("care-plan-changed-1", self.patient) for _ in range(3)]
        batch = {"Content-Type": "application/cloudevents-batch+json"}
        first = self.hospital.post(events, headers=batch).json["ids"]
        self.assertEqual(self.hospital.post(events, headers=batch).json["ids"], first)
        self.assertEqual(self.hospital.post(events[1]).json["id"], first[1])
        self.assertEqual(self.had(), [("new", "care-plan-changed-1")] * 3)

    def test_8_after_a_restart(self):
        message = self.hospital.adt("A01", self.patient)
        event = self.hospital.event("care-plan-changed-1", self.patient)
        with self.hospital.mllp() as connection:
            connection.ask(message)
        first = self.hospital.post(event).json["id"]
        self.broker.restart()
        with self.hospital.mllp() as connection:
            self.assertEqual(connection.ask(message).code, "AA")
        self.assertEqual(self.hospital.post(event).json["id"], first)
        self.assertEqual(self.had(), NEWS + [("new", "care-plan-changed-1")])

    def test_9_another_content_under_the_same_id_is_refused_and_on_the_work_list(self):
        self.hospital.tell("A01", self.patient, control_id="CLASH9")
        with self.hospital.mllp() as connection:
            said = connection.ask(self.hospital.adt("A03", self.patient, control_id="CLASH9"))
            self.assertEqual((said.code, said.control_id, said.error), ("AR", "CLASH9", "205"))
        until(lambda: ("conflict", "CLASH9") in self.items(), what="the item")
        self.assertEqual(self.had(), NEWS)

    def test_10_another_content_under_the_same_id_of_a_cloudevent_is_a_conflict_whenever_it_comes(self):
        event = self.hospital.event("encounter-admitted-1", self.patient, "clash10")
        other = {**event, "time": "2027-11-24T10:00:00Z"}
        self.assertEqual(self.hospital.post(event).status, 200)
        said = self.hospital.post(other)
        self.assertEqual(said.status, 409)
        self.assertEqual(set(said.json), {"errors"})
        until(lambda: ("conflict", "clash10") in self.items(), what="the item")
        (item,) = [one for one in self.broker.work_list(self.hospital.token) if one["messageId"] == "clash10"]
        self.assertEqual((item["source"], item["organisation"]), (self.hospital.source, self.hospital.id))
        self.assertEqual(self.had(), NEWS)

    def test_11_another_content_more_than_a_day_later_is_a_counter_that_wrapped(self):
        self.hospital.tell("A01", self.patient, control_id="WRAP11", time="20261124100000")
        self.hospital.tell("A03", self.patient, control_id="WRAP11", time="20261125100001")
        self.assertEqual(self.had(), NEWS + [("new", "encounter-discharged-1")])
        self.assertEqual(self.items(), [])

    def test_12_after_a_restart_a_conflict_is_still_one(self):
        self.hospital.tell("A01", self.patient, control_id="CLASH12")
        self.broker.restart()
        with self.hospital.mllp() as connection:
            self.assertEqual(connection.ask(self.hospital.adt("A03", self.patient, control_id="CLASH12")).error, "205")

    def test_13_the_same_id_of_another_organisation_or_application_is_another_message(self):
        other = self.broker.hospital()
        self.hospital.tell("A01", self.patient, control_id="SAME13")
        other.tell("A01", self.patient, control_id="SAME13", spell="V2")
        self.hospital.tell("A01", self.patient, control_id="SAME13", spell="V3", _3="EPR")
        self.assertEqual(self.had(), NEWS * 3)


if __name__ == "__main__":
    tidings.main()
