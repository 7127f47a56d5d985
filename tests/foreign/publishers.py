"""Other people's clients publish: python-hl7 over MLLP, the CloudEvents SDK over HTTP."""

import foreign

foreign.run_with_clients()

import cloudevents.conversion  # noqa: E402
import cloudevents.http  # noqa: E402
import hl7  # noqa: E402
import hl7.client  # noqa: E402

from foreign import tidings  # noqa: E402
from tidings import kinds  # noqa: E402


class Publishers(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        practice = self.broker.practice()
        practice.register(self.patient)
        self.subscription = practice.subscribe()

    def test_1_python_hl7_sends_a_message_and_reads_its_acknowledgement(self):
        message = self.hospital.adt("A01", self.patient, control_id="HL7-1")
        host, port = tidings.wire.host_and_port(self.broker.mllp)
        with hl7.client.MLLPClient(host, port) as client:
            answers = [client.send_message(message), client.send_message(hl7.parse(message))]
            refused = client.send_message(message.replace("|P|2.4", "|T|2.4").replace("HL7-1", "HL7-2"))
        for answer in answers:
            said = hl7.parse(answer.decode().strip("\x0b\x1c\r"))
            self.assertEqual((str(said["MSA"][0][1]), str(said["MSA"][0][2])), ("AA", "HL7-1"))
            self.assertEqual(str(said["MSH"][0][9][0][0]), "ACK")
        said = hl7.parse(refused.decode().strip("\x0b\x1c\r"))
        self.assertEqual((str(said["MSA"][0][1]), str(said["ERR"][0][3][0][0])), ("AR", "202"))
        (had,) = self.hospital.mark(self.patient, self.subscription)
        self.assertEqual(kinds(had), [("new", "encounter-admitted-1")])

    def event(self, **more):
        made = self.hospital.event("care-plan-changed-1", self.patient)
        data = made.pop("data")
        return cloudevents.http.CloudEvent({**made, **more}, data)

    def test_2_the_cloudevents_sdk_in_structured_mode(self):
        headers, body = cloudevents.conversion.to_structured(self.event(subject=self.patient.nhs_number))
        said = self.hospital.broker.ask("POST", "/events", self.hospital.token, body, headers)
        self.assertEqual(said.status, 200, said)
        self.assertEqual(self.subscription.alerts(1)[0]["data"]["event"], said.json["id"])

    def test_3_the_cloudevents_sdk_in_binary_mode(self):
        for more in ({}, {"datacontenttype": "application/json"}, {"subject": self.patient.nhs_number}):
            headers, body = cloudevents.conversion.to_binary(self.event(**more))
            said = self.hospital.broker.ask("POST", "/events", self.hospital.token, body, headers)
            self.assertEqual(said.status, 200, (headers, said))
        self.assertEqual(kinds(self.subscription.alerts(3)), [("new", "care-plan-changed-1")] * 3)

    def test_4_the_cloudevents_sdk_reads_an_alert(self):
        self.hospital.tell("A01", self.patient)
        (alert,) = self.subscription.alerts(1)
        text = tidings.json.dumps(alert).encode()
        event = cloudevents.http.from_http({"content-type": "application/cloudevents+json"}, text)
        self.assertEqual((event["type"], event["subject"]), ("encounter-admitted-1", self.patient.nhs_number))
        self.assertEqual(event.data["encounter"]["ward"], "W12")


if __name__ == "__main__":
    foreign.main()
