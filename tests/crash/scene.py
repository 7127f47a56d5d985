"""One small hospital, one patient, two who look after her: what a row of the crash table is played on."""

import glob
import json
import os
import shutil
import struct
import subprocess
import tempfile
import time

from running import Broken, Broker
from talking import NOT_NOW, Http, Mllp, stream
from world import ADMITTED, CANCELLED, CLOUD, DISCHARGED, Patient, adt, cloud_event, nhs_numbers

HOSPITAL = "R0A"
LISTENERS = ("A81001", "VN001")
FRAME_HEAD = struct.Struct(">4sIII")  # broker/log/segment_frame.h: "TDF1", checksum, sizes of key and value
FRAME_HEAD_BYTES = 48
SEGMENT_HEAD_BYTES = 32


class Scene:
    """Set up by a broker that was then stopped in order; `start` begins the row itself."""

    def __init__(self, binary, options=("--partitions", "4"), kafka=None):
        self.folder = tempfile.mkdtemp(prefix="tidings-crash-row-")
        self.binary, self.options, self.kafka = binary, options, kafka
        where = "embedded" if kafka is None else f"kafka://{kafka.address}"
        self.broker = Broker(binary, self.folder, where, [*options, "--machine", "first"])
        self.numbers = nhs_numbers()
        self.patient = Patient(next(self.numbers))
        self.subscriptions = {}
        self.mllp = None
        self.sent = 0
        self.patience = 10

    def close(self, keep=False):
        self.broker.end()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- setting up ----

    def set_up(self, *extra):
        self.start(*extra)
        self.make_world()
        self.stop()

    def make_world(self):
        operator = self.http(self.broker.operator_token())
        self.make(operator, "PUT", f"/organisations/{HOSPITAL}", {"name": "Hospital", "kind": "hospital", "hl7Names": ["HOSPA"], "processingIds": ["P"]})
        self.make(operator, "PUT", f"/organisations/{CLOUD[0]}", {"name": "Cloud", "kind": "hospital", "sources": [CLOUD[1]]})
        for ods in LISTENERS:
            self.make(operator, "PUT", f"/organisations/{ods}", {"name": ods, "kind": "gp-practice"})
        roles = {"organisations": list(LISTENERS), "roles": ["subscriber"]}
        self.listener = self.make(operator, "POST", "/tokens", roles)["token"]
        self.publisher = self.make(operator, "POST", "/tokens", {"organisations": [HOSPITAL, CLOUD[0]], "roles": ["publisher"]})["token"]
        http = self.http(self.listener)
        for ods in LISTENERS:
            self.make(http, "POST", "/registrations", {"patient": self.patient.number, "subscriber": ods, "role": "gp"})
            self.subscriptions[ods] = self.make(http, "POST", "/subscriptions", {"subscriber": ods, "channel": {"kind": "pull"}})["id"]

    def http(self, token):
        return Http(self.broker, token)

    def make(self, http, method, path, body, headers=None, expected=(200, 201)):
        status, answer, _ = http.once(method, path, body, headers)
        if status not in expected:
            raise Broken(f"{method} {path}: {status} {json.dumps(answer)}")
        return answer

    # ---- dying and starting ----

    def start(self, *extra):
        self.broker.start(*extra)
        self.broker.wait_up(60)

    def stop(self):
        self.hang_up()
        code, seconds = self.broker.stop()
        if code != 0 or seconds > 10:
            raise Broken(f"a stop in order ended with {code} after {seconds:.1f} s: {self.broker.last_note()}")

    def kill(self):
        self.hang_up()
        self.broker.kill()

    def dies(self):
        """The point of death is reached."""
        self.broker.wait_dead()
        self.hang_up()

    def hang_up(self):
        if self.mllp is not None:
            self.mllp.close()
        self.mllp = None

    # ---- sending ----

    def text(self, trigger, spell, identity, **more):
        return adt(trigger, identity, HOSPITAL, self.patient, spell, **more)

    def send(self, trigger, spell, identity=None, **more):
        """Sends and awaits the answer's code; None: the broker was gone before it answered."""
        if identity is None:
            self.sent += 1
            identity = f"own-{self.sent}"
        try:
            if self.mllp is None:
                self.mllp = Mllp(self.broker)
            self.mllp.send(self.text(trigger, spell, identity, **more))
            code, answered, text = self.mllp.answer()
        except NOT_NOW:
            self.hang_up()
            return None
        if answered != identity:
            raise Broken(f"{identity} was answered {text!r}")
        return code

    def send_only(self, trigger, spell, identity):
        self.mllp = self.mllp or Mllp(self.broker)
        self.mllp.send(self.text(trigger, spell, identity))

    def taken(self, trigger, spell, identity=None, **more):
        code = self.send(trigger, spell, identity, **more)
        if code != "CA":
            raise Broken(f"{trigger} of {spell} was answered {code}")

    def unanswered(self, trigger, spell, identity, **more):
        code = self.send(trigger, spell, identity, **more)
        if code is not None:
            raise Broken(f"{trigger} of {spell} was answered {code}; the broker should have died before")

    def post_event(self, identity, spell):
        """(status, answer), or None: gone."""
        event = cloud_event(identity, ADMITTED, self.patient, {"encounter": {"spell": spell, "class": "inpatient", "organisation": CLOUD[0], "ward": "W1"}})
        return self.try_once("POST", "/events", event, self.publisher, {"Content-Type": "application/cloudevents+json"})

    def try_once(self, method, path, body, token, headers=None):
        try:
            status, answer, _ = self.http(token).once(method, path, body, headers)
        except NOT_NOW:
            return None
        return status, answer

    # ---- looking ----

    def page(self, ods, after=0):
        path = f"/subscriptions/{self.subscriptions[ods]}/alerts?after={after}&limit=1000&wait=1"
        status, page, _ = self.http(self.listener).once("GET", path)
        if status != 200:
            raise Broken(f"GET {path}: {status} {page}")
        return page["alerts"]

    def alerts(self, ods, count, seconds=10):
        """The subscription's alerts, when there are so many."""
        deadline = time.monotonic() + seconds
        found = self.page(ods)
        while len(found) < count and time.monotonic() < deadline:
            found += self.page(ods, len(found))
        if [one["data"]["number"] for one in found] != list(range(1, len(found) + 1)):
            raise Broken(f"{ods} has numbers {[one['data']['number'] for one in found]}")
        return found

    def told(self, *expected):
        """Each listener was told exactly this, in this order: "admitted V1", "discharged V1", "died V1", "cancelled V1". A last
        event shows that nothing more was on its way: what comes before it in the log is told before it."""
        self.sent += 1
        last = f"last{self.sent}"
        self.taken("A01", last)
        expected = [*expected, f"admitted {last}"]
        result = {}
        for ods in LISTENERS:
            found = self.alerts(ods, len(expected), self.patience)
            said = [f"{one['type'].split('-')[1]} {one['data']['encounter']['spell']}" for one in found]
            if said != expected:
                raise Broken(f"{ods} was told {said}, and should have been told {expected}")
            if len({one["id"] for one in found}) != len(found):
                raise Broken(f"{ods} has an alert id twice")
            result[ods] = found
        self.expected = expected
        return result

    def told_before(self):
        """What `told` saw last, to be added to."""
        return getattr(self, "expected", [])

    def listen(self, ods, after, count):
        """So many alerts from a live stream."""
        found = []
        for number, alert in stream(self.broker, self.listener, self.subscriptions[ods], after):
            found.append((number, alert["id"]))
            if len(found) == count:
                return found
        raise Broken(f"the stream ended after {len(found)} of {count} alerts")

    # ---- the files of a broker that is down ----

    def path(self, *parts):
        return os.path.join(self.broker.data, *parts)

    def remove(self, *names):
        for name in names:
            for path in glob.glob(self.path(name)):
                os.remove(path)

    def copy(self, name, *patterns):
        """Keeps files aside under a name."""
        aside = os.path.join(self.folder, name)
        os.makedirs(aside, exist_ok=True)
        for pattern in patterns:
            for path in glob.glob(self.path(pattern)):
                if os.path.isdir(path):
                    shutil.copytree(path, os.path.join(aside, os.path.basename(path)), dirs_exist_ok=True)
                else:
                    shutil.copy2(path, aside)
        return aside

    def put_back(self, aside, *patterns):
        """Instead of what is there now."""
        for pattern in patterns:
            for path in glob.glob(self.path(pattern)):
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
            for path in glob.glob(os.path.join(aside, pattern)):
                to = self.path(os.path.basename(path))
                shutil.copytree(path, to) if os.path.isdir(path) else shutil.copy2(path, to)

    def segment(self, topic):
        return sorted(glob.glob(self.path("log", f"tidings.{topic}", "*.segment")))[-1]

    def frames(self, topic):
        """Where each record of the last segment begins, and where the last ends."""
        with open(self.segment(topic), "rb") as file:
            data = file.read()
        at, begins = SEGMENT_HEAD_BYTES, []
        while data[at : at + 4] == b"TDF1":
            begins.append(at)
            _, _, key, value = FRAME_HEAD.unpack_from(data, at)
            at += FRAME_HEAD_BYTES + key + value
        return [*begins, at]

    def cut_last(self, topic, leave_bytes=0):
        """Cuts the last record off; leave_bytes: but so many bytes of it."""
        begin = self.frames(topic)[-2]
        os.truncate(self.segment(topic), begin + leave_bytes)

    def forge(self, topic, key, text, partition=0):
        program = os.path.join(os.path.dirname(self.binary), "forge")
        subprocess.run([program, self.broker.data, f"tidings.{topic}", str(partition), key, text], check=True)


__all__ = ["Scene", "Broken", "ADMITTED", "CANCELLED", "CLOUD", "DISCHARGED", "HOSPITAL", "LISTENERS"]
