"""Other people's clients read the topics: confluent-kafka with fastavro and schemas/*.avsc; kcat."""

import foreign

foreign.run_with_clients()

import io  # noqa: E402
import json  # noqa: E402
import subprocess  # noqa: E402
import unittest  # noqa: E402

import confluent_kafka  # noqa: E402
import fastavro  # noqa: E402

from foreign import needed, tidings  # noqa: E402
from tidings import scan  # noqa: E402

SEALED_KINDS = {"EventHeader", "Telling"}
IN_CLEAR = {
    "tidings.events": {"EventHeader", "Rules", "Tick"},
    "tidings.alerts": {"Telling", "Subscription", "Receipt", "Rules", "Tick"},
    "tidings.directory": {"Organisation", "Subscriber", "Token"},
    "tidings.keys": {"DataKey"},
    "tidings.quarantine": {"WorkItem"},
    "tidings.audit": set(),
}
SEAL_BYTES = 24 + 16  # nonce and tag


def schemas():
    found = {}
    for file in sorted((foreign.HERE.parent.parent / "schemas").rglob("*.avsc")):
        text = json.loads(file.read_text())
        found[text["tidings.id"]] = fastavro.parse_schema(text, named_schemas={})
    return found


class Reader:
    """Confluent's wire format, with schemas from files instead of a registry."""

    def __init__(self):
        self.schemas = schemas()

    def read(self, data):
        """(name, value), and nothing may be left over."""
        if data[0] != 0:
            raise AssertionError(f"not in wire format: {data[:5].hex()}")
        schema = self.schemas[int.from_bytes(data[1:5], "big")]
        stream = io.BytesIO(data[5:])
        value = fastavro.schemaless_reader(stream, schema)
        if stream.read(1):
            raise AssertionError("bytes are left behind the value")
        return schema["name"].rpartition(".")[2], value


class Topics(tidings.Story):
    @classmethod
    def setUpClass(cls):
        if tidings.LOG != "kafka":
            raise unittest.SkipTest("there are topics on Kafka only: TIDINGS_TEST_LOG=kafka")
        super().setUpClass()
        broker = cls.broker
        cls.hospital, cls.practice, cls.patient = broker.hospital(), broker.practice(), broker.patient()
        cls.ref = cls.practice.register(cls.patient, evidence=f"Letter from {cls.patient.given}").json["patientRef"]
        cls.subscription = cls.practice.subscribe()
        cls.hospital.tell("A01", cls.patient)
        cls.hospital.tell("A11", cls.patient)
        cls.hospital.publish("care-plan-changed-1", cls.patient, traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        cls.alerts = cls.subscription.alerts(3)
        receipt = {"number": 1, "state": "opened", "by": cls.patient.given}
        broker.must(204, "POST", f"{cls.subscription.path}/receipts", cls.practice.token, receipt)
        with cls.hospital.mllp() as connection:
            connection.ask(cls.hospital.adt("A01", cls.patient, processing="T", control_id="REFUSED1"))
        tidings.until(lambda: broker.work_list(cls.hospital.token), what="the item on the work list")
        cls.records = {topic: cls.read_topic(topic) for topic in IN_CLEAR}
        cls.reader = Reader()

    @classmethod
    def read_topic(cls, topic):
        """All records of a topic, as any consumer gets them."""
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": cls.broker.kafka, "group.id": "somebody-else", "enable.auto.commit": False, "enable.partition.eof": True})
        try:
            partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
            consumer.assign([confluent_kafka.TopicPartition(topic, one, confluent_kafka.OFFSET_BEGINNING) for one in partitions])
            records, ended = [], set()
            while len(ended) < len(partitions):
                message = consumer.poll(30)
                if message is None:
                    raise AssertionError(f"{topic} could not be read to its end")
                if message.error() is None:
                    records.append(message)
                elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                else:
                    raise AssertionError(message.error())
            return records
        finally:
            consumer.close()

    def opened(self, topic):
        """(record, name, header in clear, sealed bytes) of what is not a log's own mark."""
        for record in self.records[topic]:
            if record.value() is None or record.key() == b"log/identity":
                continue
            name, value = self.reader.read(record.value())
            if name == "Record":
                yield record, *self.reader.read(value["header"]), value["sealed"]
            else:
                yield record, name, value, b""

    def test_1_every_record_of_every_topic_can_be_read_with_the_schemas(self):
        for topic, expected in IN_CLEAR.items():
            names = {name for _, name, _, _ in self.opened(topic)}
            self.assertLessEqual(names, expected, topic)
            missing = expected - names - {"Tick", "Subscriber", "Token"}
            self.assertEqual(missing, set(), topic)

    def test_2_an_event_says_in_clear_what_routing_needs(self):
        events = [(record, header) for record, name, header, _ in self.opened("tidings.events") if name == "EventHeader"]
        self.assertEqual([header["type"] for _, header in events], [
            "registration-started-1", "encounter-admitted-1", "encounter-cancelled-1", "care-plan-changed-1"])
        for record, header in events:
            self.assertEqual((record.key().decode(), header["patient"]), (self.ref, self.ref))
        told = events[1][1]
        self.assertEqual((told["publisher"], told["organisation"], told["class"]), (self.hospital.id, self.hospital.id, 1))
        self.assertEqual(events[3][1]["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

    def test_3_headers_are_those_of_the_cloudevents_binding(self):
        for topic in ("tidings.events", "tidings.alerts"):
            for record, name, header, _ in self.opened(topic):
                if name not in SEALED_KINDS:
                    continue
                headers = {key: value.decode() for key, value in record.headers() or []}
                if name == "Telling":
                    header = self.reader.read(header["eventHeader"])[1]
                self.assertEqual(headers["ce_specversion"], "1.0")
                self.assertEqual(headers["ce_type"], header["type"])
                self.assertEqual(headers["ce_subject"], self.ref)
                self.assertEqual(headers["ce_id"].replace("-", ""), header["id"].hex())
                self.assertRegex(headers["ce_source"], r"^urn:")
                self.assertRegex(headers["ce_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
                if header["traceparent"]:
                    self.assertEqual(headers["traceparent"], header["traceparent"])

    def test_4_a_telling_names_its_cause_and_the_alert_comes_from_it(self):
        tellings = [(record, header) for record, name, header, _ in self.opened("tidings.alerts") if name == "Telling"]
        self.assertEqual([header["kind"] for _, header in tellings], [0, 2, 0])
        events = {(record.partition(), record.offset()): header for record, name, header, _ in self.opened("tidings.events")
                  if name == "EventHeader"}
        for (record, header), alert in zip(tellings, self.alerts):
            self.assertEqual((record.key().decode(), header["subscriber"]), (self.practice.id, self.practice.id))
            cause = header["cause"]
            self.assertEqual(cause["topic"], 0)
            self.assertIn((cause["partition"], cause["offset"]), events)
            told = self.reader.read(header["eventHeader"])[1]
            self.assertEqual(told["id"].hex(), alert["data"]["event"].replace("-", ""))
            self.assertEqual([one["role"] for one in header["because"]], ["gp"])
        self.assertEqual(tellings[1][1]["concerned"]["event"], self.reader.read(tellings[0][1]["eventHeader"])[1]["id"])

    def test_5_what_is_sealed_is_opaque(self):
        sealed = [data for topic in IN_CLEAR for _, name, _, data in self.opened(topic) if name in SEALED_KINDS]
        self.assertEqual(len(sealed), 7)
        for data in sealed:
            self.assertGreater(len(data), SEAL_BYTES)
            for schema in self.reader.schemas.values():
                with self.assertRaises(Exception):
                    stream = io.BytesIO(data)
                    fastavro.schemaless_reader(stream, schema)
                    if stream.read(1):
                        raise ValueError("bytes are left behind the value")

    def test_6_keys_headers_and_values_hold_no_number_name_or_token(self):
        for topic, records in self.records.items():
            for record in records:
                headers = [part for key, value in record.headers() or [] for part in (key.encode(), value or b"")]
                for part in (record.key() or b"", record.value() or b"", *headers):
                    self.assertEqual(scan.found_in(part, self.broker.secrets), set(), topic)

    def test_7_kcat_reads_every_topic(self):
        kcat = needed("kcat", "kcat")
        for topic, records in self.records.items():
            command = [kcat, "-q", "-C", "-b", self.broker.kafka, "-t", topic, "-o", "beginning", "-e", "-f", "%p %o %K %S\n"]
            said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
            mine = sorted(f"{one.partition()} {one.offset()} {len(one.key() or b'')} {-1 if one.value() is None else len(one.value())}"
                          for one in records)
            self.assertEqual(sorted(said), mine, topic)


if __name__ == "__main__":
    foreign.main()
