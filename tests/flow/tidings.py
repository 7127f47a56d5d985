"""Starts `tidings serve` on a folder of its own, and plays the organisations around it. Read this file first."""

import itertools
import json
import os
import select
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import scan
import wire
import world
from wire import PATIENCE, until

TREE = Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("TIDINGS", str(TREE / "build" / "dev" / "tidings"))
LOG = os.environ.get("TIDINGS_TEST_LOG", "embedded")
CANNOT_RUN_HERE = 77
LETTERS = string.digits + string.ascii_uppercase
STOP_SECONDS = 10  # promised: SIGTERM, and it exits 0 within that


class DidNotStart(Exception):
    """serve ended before it was ready."""

    def __init__(self, code, notes):
        super().__init__(f"serve ended with {code}: {notes}")
        self.code, self.notes = code, notes


class Broker:
    """`tidings serve` on a log and a data folder of its own. What flows use is noted, to be scanned for."""

    def __init__(self, *options):
        self.room = Path(tempfile.mkdtemp(prefix="tidings-flow-"))
        self.data = self.room / "data"
        self.notes_file = self.room / "notes"
        self.options = options
        self.process = None
        self.secrets = set()
        self.kafka = None
        self.codes = itertools.count(1)
        if LOG == "kafka":
            self.kafka = self.kafka_broker("start", self.room / "kafka", "--owner", str(os.getpid()))

    def kafka_broker(self, verb, *arguments):
        command = [str(TREE / "tests" / "kafka" / "broker"), verb, *map(str, arguments)]
        said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if said.returncode == CANNOT_RUN_HERE:
            raise unittest.SkipTest(said.stderr.strip().removeprefix("SKIPPED: "))
        if said.returncode != 0:
            raise AssertionError(f"tests/kafka/broker {verb}: {said.stderr}")
        return said.stdout.strip()

    # ---- the process ----

    def command(self, *options):
        where = [] if self.kafka is None else ["--log", f"kafka://{self.kafka}", "--machine", "flow"]
        given = [*self.options, *options]
        if self.kafka is not None and "--partitions" not in given:
            given += ["--partitions", "6"]  # a broker that is made for one story need not make a hundred partitions
        doors = [word for door in ("--http", "--mllp") if door not in given for word in (door, "127.0.0.1:0")]
        return [PROGRAM, "serve", "--data", str(self.data), *doors, *where, *given]

    def start(self, *options, within=60):
        """Starts it and waits for `ready`. DidNotStart: it ended instead."""
        with open(self.notes_file, "ab") as notes:
            begin = notes.tell()
            self.process = subprocess.Popen(self.command(*options), stdout=subprocess.PIPE, stderr=notes)
        if not select.select([self.process.stdout], [], [], within)[0]:
            self.process.kill()
            raise AssertionError(f"no `ready` within {within} s; notes: {self.notes()[begin:]}")
        line = self.process.stdout.readline().decode()
        if not line.startswith("ready "):
            code = self.process.wait(STOP_SECONDS)
            self.process.stdout.close()
            self.process = None
            raise DidNotStart(code, self.notes()[begin:])
        said = dict(word.split("=", 1) for word in line.split()[1:])
        self.http, self.mllp = said["http"], said["mllp"]
        until(lambda: self.ask("GET", "/health/ready").status == 200, within, "/health/ready")
        token = self.data / "operator.token"
        self.operator = token.read_text().strip()
        self.secrets.add(self.operator.split(".", 1)[1])
        return self

    def stop(self):
        """SIGTERM. What is promised is checked: it exits 0 in time."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not stop within {STOP_SECONDS} s") from None
        self.process.stdout.close()
        self.process = None
        if code != 0:
            raise AssertionError(f"it stopped with {code}; notes: {self.notes()[-2000:]}")
        return time.monotonic() - started

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def restart(self):
        self.stop()
        self.start()

    def verify(self):
        """`tidings verify` finds the log as it must be."""
        where = [] if self.kafka is None else ["--log", f"kafka://{self.kafka}"]
        said = subprocess.run([PROGRAM, "verify", "--data", str(self.data), *where], capture_output=True, text=True, check=False)
        if said.returncode != 0:
            raise AssertionError(f"verify: {said.stdout}{said.stderr}")

    def notes(self):
        return self.notes_file.read_text(errors="replace") if self.notes_file.exists() else ""

    def finish(self):
        """The end of every flow: a clean stop, and nobody's number, name or token stands anywhere."""
        found = set()
        try:
            if self.process is not None:
                metrics = self.ask("GET", "/metrics", self.operator).body
                found.update(f"/metrics: {one}" for one in scan.found_in(metrics, self.secrets))
                if self.kafka is not None:
                    found.update(scan.scan_kafka(self.kafka, self.secrets))
                self.stop()
                self.verify()
            found.update(scan.scan_folder(self.room, self.secrets))
            if found:
                raise AssertionError("these stand in clear: " + ", ".join(sorted(found)[:20]))
        finally:
            self.destroy()

    def destroy(self):
        if not self.room.exists():
            return
        if self.process is not None:
            self.kill()
        if self.kafka is not None:
            self.kafka_broker("kill", self.room / "kafka")
        shutil.rmtree(self.room, ignore_errors=True)

    # ---- what one asks of it ----

    def ask(self, method, path, token=None, body=None, headers=None, after=None):
        """One request; after: an answer whose effect must be seen first."""
        headers = dict(headers or {})
        if after is not None and after.position:
            headers["Tidings-Position"] = after.position
        return wire.ask(self.http, method, path, token, body, headers)

    def must(self, status, method, path, token=None, body=None, headers=None, after=None):
        answer = self.ask(method, path, token, body, headers, after)
        if answer.status != status:
            raise AssertionError(f"{method} {path}: {answer}, not {status}")
        return answer

    def token(self, organisations, roles, **more):
        made = self.must(201, "POST", "/tokens", self.operator, {"organisations": organisations, "roles": roles, **more}).json
        self.secrets.add(made["token"].split(".", 1)[1])
        return made["token"]

    def patient(self):
        patient = world.Patient()
        self.secrets.update((patient.nhs_number, patient.untrusted_number(), patient.mrn))
        return patient

    def hospital(self, **members):
        tens, ones = divmod(next(self.codes), len(LETTERS))
        code = f"R{LETTERS[tens]}{LETTERS[ones]}"  # three characters, and five for a site
        return Organisation(self, code, "hospital", {"sources": [f"urn:{code}"], **members})

    def practice(self):
        return Organisation(self, f"A81{next(self.codes):03}", "gp-practice", {})

    def care_home(self):
        return Organisation(self, f"VL{next(self.codes):03}", "care-home", {})

    def community(self):
        return Organisation(self, f"RY{next(self.codes):03}", "community", {})

    def work_list(self, token, after=None):
        return self.must(200, "GET", "/worklist?limit=1000", token, after=after).json["items"]


class Organisation:
    """A hospital, practice, care home or community team that uses the broker."""

    def __init__(self, broker, code, kind, members):
        self.broker, self.id, self.source = broker, code, f"urn:{code}"
        body = {"name": f"Organisation {code}", "kind": kind, **members}
        broker.must(201, "PUT", f"/organisations/{code}", broker.operator, body)
        self.token = broker.token([code], ["publisher", "subscriber"])

    def register(self, patient, role="gp", subscriber=None, **more):
        body = {"patient": patient.nhs_number, "subscriber": subscriber or self.id, "role": role, **more}
        return self.broker.must(201, "POST", "/registrations", self.token, body)

    def subscribe(self, subscriber=None, **more):
        body = {"subscriber": subscriber or self.id, "channel": {"kind": "pull"}, **more}
        return Subscription(self, self.broker.must(201, "POST", "/subscriptions", self.token, body))

    def mllp(self):
        return wire.Mllp(self.broker.mllp)

    def adt(self, trigger, patient, **more):
        return world.adt(trigger, patient, self.id, **more)

    def tell(self, trigger, patient, **more):
        """One message on a connection of its own, which must be taken."""
        with self.mllp() as connection:
            said = connection.ask(self.adt(trigger, patient, **more))
        if said.code not in ("AA", "CA"):
            raise AssertionError(f"{trigger} was answered {said}")
        return said

    def event(self, kind, patient, event_id=None, **more):
        """A CloudEvent. more: members of it."""
        event = {
            "specversion": "1.0", "id": event_id or next(event_ids), "source": self.source, "type": kind,
            "time": "2026-11-24T10:00:00Z",
            "data": {"patient": {"nhsNumber": patient.nhs_number, "familyName": patient.family}},
        }
        if kind == "care-plan-changed-1":
            event["data"]["carePlan"] = {"id": "p1", "title": "Falls"}
        else:
            event["data"]["encounter"] = {"spell": "V1", "class": "inpatient"}
        event.update(more)
        return event

    def post(self, event, token=None, headers=None):
        if isinstance(event, bytes):
            body = event
        else:
            body = json.dumps(event).encode()
        sent = {"Content-Type": "application/cloudevents+json", **(headers or {})}
        return self.broker.ask("POST", "/events", token or self.token, body, sent)

    def publish(self, kind, patient, event_id=None, **more):
        answer = self.post(self.event(kind, patient, event_id, **more))
        if answer.status != 200:
            raise AssertionError(f"{kind} was answered {answer}")
        return answer.json["id"]

    def mark(self, patient, *subscriptions):
        """Publishes one more event of the patient, waits until each subscription has it, and gives what each had before.

        A patient's events are told in order: what did not come before the mark does not come."""
        mark = self.publish("care-plan-changed-1", patient)
        return [subscription.until_event(mark)[:-1] for subscription in subscriptions]


event_ids = (f"e{count:06}" for count in itertools.count(1))


class Subscription:
    def __init__(self, organisation, answer):
        self.broker, self.token = organisation.broker, organisation.token
        self.id, self.made = answer.json["id"], answer
        self.path = f"/subscriptions/{self.id}"

    def get(self, after=None):
        return self.broker.must(200, "GET", self.path, self.token, after=after or self.made).json

    def page(self, **query):
        text = "&".join(f"{name}={value}" for name, value in query.items())
        return self.broker.ask("GET", f"{self.path}/alerts?{text}", self.token, after=self.made)

    def alerts(self, count, within=PATIENCE):
        """The first alerts, as soon as there are so many of them."""
        return self._until(lambda alerts: len(alerts) >= count, f"alert {count}", within)[:count]

    def until_event(self, event, within=PATIENCE):
        """All alerts up to that of the event."""
        return self._until(lambda alerts: any(one["data"].get("event") == event for one in alerts), "the alert", within)

    def _until(self, enough, what, within):
        deadline = time.monotonic() + within
        alerts = []
        while not enough(alerts):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come within {within} s; there are {len(alerts)}")
            page = self.page(after=len(alerts), wait=2, limit=1000)
            if page.status != 200:
                raise AssertionError(f"pull was answered {page}")
            alerts.extend(page.json["alerts"])
        return alerts

    def stream(self, headers=None, **query):
        text = "&".join(f"{name}={value}" for name, value in query.items())
        self.get()
        return wire.Stream(self.broker.http, f"{self.path}/stream?{text}", self.token, headers)


class Story(unittest.TestCase):
    """Tests that share one broker, each with organisations and patients of its own."""

    broker: Broker
    together = None  # the broker of all stories that are told together (together.py)

    @classmethod
    def setUpClass(cls):
        cls.broker = Story.together or Broker()
        if cls.broker.process is not None:
            return
        try:
            cls.broker.start()
        except BaseException:
            cls.broker.destroy()
            raise

    @classmethod
    def tearDownClass(cls):
        if Story.together is None:
            cls.broker.finish()


def kinds(alerts):
    """What came, in short: [("new", "encounter-admitted-1"), ...]."""
    return [(one["data"]["kind"], one["type"]) for one in alerts]


def skip(why):
    """Ends a program whose tests cannot run here; that is a failure where CI=true."""
    print(f"SKIPPED: {why}")
    sys.exit(1 if os.environ.get("CI") == "true" else CANNOT_RUN_HERE)


def main():
    """Runs the file's tests. What could not run here is said."""
    program = unittest.main(exit=False, verbosity=2)
    if not program.result.wasSuccessful():
        sys.exit(1)
    if program.result.skipped:
        skip("; ".join(sorted({why for _, why in program.result.skipped})))
