"""The load: hospitals that send and send again, practices that register, subscribe and read, all at once, in threads."""

import collections
import json
import queue
import random
import threading
import time

from running import Broken
from talking import NOT_NOW, Http, Mllp, StreamRefused, stream
from told import Told
from world import CLOUD, HOSPITALS, ROLES, SUBSCRIBERS, CloudLine, Line, Patient, Registration, Subscription, nhs_numbers

PATIENTS_WAITING = 100
STAYS_AT_ONCE = 12
SUBSCRIPTIONS = 20


class Load:
    """hasty: several messages of one patient in flight. Only without faults: where one fails and the next does not, it is the
    publisher that has changed their order."""

    def __init__(self, broker, seed):
        self.broker, self.seed = broker, seed
        self.told = Told()
        self.over, self.paused, self.failed = threading.Event(), threading.Event(), threading.Event()
        self.error = None
        self.hasty = True
        self.patients, self.new_patients = [], queue.Queue(PATIENTS_WAITING)
        self.subscriptions = []
        self.numbers, self.numbers_lock = nhs_numbers(), threading.Lock()
        self.resting, self.rest_changed = set(), threading.Condition()
        self.sent_again = self.faults_answered = 0
        self.threads = []

    # ---- first ----

    def prepare(self):
        operator = Http(self.broker, self.broker.operator_token())
        for ods, name in HOSPITALS.items():
            self._put(operator, ods, {"name": f"Hospital {ods}", "kind": "hospital", "hl7Names": [name], "processingIds": ["P"]})
        self._put(operator, CLOUD[0], {"name": "Cloud", "kind": "hospital", "sources": [CLOUD[1]]})
        for ods, kind in SUBSCRIBERS.items():
            self._put(operator, ods, {"name": ods, "kind": kind})
        self.publisher_token = self._token(operator, [CLOUD[0]], "publisher")
        self.subscriber_token = self._token(operator, list(SUBSCRIBERS), "subscriber")
        self.worklist_token = self._token(operator, [*HOSPITALS, CLOUD[0]], "publisher")
        client = Http(self.broker, self.subscriber_token)
        for ods in SUBSCRIBERS:
            self.subscribe(client, ods, None)
        self.subscribe(client, "A81001", ["encounter-discharged-1"])

    def _put(self, http, ods, what):
        status, answer, _ = http.ask("PUT", f"/organisations/{ods}", what)
        if status not in (200, 201):
            raise Broken(f"PUT /organisations/{ods}: {status} {answer}")

    def _token(self, http, organisations, role):
        status, answer, _ = http.ask("POST", "/tokens", {"organisations": organisations, "roles": [role]})
        if status != 201:
            raise Broken(f"POST /tokens: {status} {answer}")
        return answer["token"]

    def subscribe(self, client, subscriber, types):
        subscription = Subscription(subscriber, types)
        body = {"subscriber": subscriber, "channel": {"kind": "pull"}, **({"types": types} if types else {})}
        subscription.sent = time.monotonic()
        answer = client.ask("POST", "/subscriptions", body, {"Idempotency-Key": f"s{len(self.subscriptions)}"})
        if answer is None:
            return
        if answer[0] != 201:
            raise Broken(f"POST /subscriptions: {answer[0]} {answer[1]}")
        subscription.acknowledged, subscription.id = time.monotonic(), answer[1]["id"]
        self.told.add_subscription(subscription)
        self.subscriptions.append(subscription)

    # ---- threads ----

    def start(self):
        lines = [(ods, f"{name}{i}") for i, (ods, name) in enumerate([*HOSPITALS.items(), ("R0A", "HOSPA")])]
        works = [(f"mllp {name}", self._mllp, Line(ods, name)) for ods, name in lines]
        works += [("cloud", self._cloud, CloudLine(CLOUD[0], "cloud"))]
        works += [(f"registrar {i}", self._registrar, i) for i in range(2)]
        works += [("puller", self._puller, None)] + [(f"streamer {i}", self._streamer, i) for i in range(2)]
        self.resters = {name for name, work, _ in works if work not in (self._puller, self._streamer)}
        for name, work, what in works:
            thread = threading.Thread(target=self._run, args=(name, work, what), daemon=True)
            thread.start()
            self.threads.append(thread)

    def _run(self, name, work, what):
        try:
            work(name, random.Random(f"{self.seed} {name}"), what)
        except Exception as error:  # whatever it is, the main thread tells it
            if self.error is None:
                self.error = error if isinstance(error, Broken) else Broken(f"{name}: {error!r}")
                self.error.__cause__ = error
            self.failed.set()

    def check_threads(self):
        if self.failed.is_set():
            raise self.error

    def rest(self, seconds=60):
        """Everybody who sends finishes what was begun: all of it is acknowledged. Needs a broker that is up."""
        self.paused.set()
        deadline = time.monotonic() + seconds
        with self.rest_changed:
            while not self.resters <= self.resting:
                self.rest_changed.wait(0.1)
                self.check_threads()
                if time.monotonic() > deadline:
                    raise Broken(f"no acknowledgement within {seconds} s for {sorted(self.resters - self.resting)}")

    def go_on(self):
        self.paused.clear()
        with self.rest_changed:
            self.rest_changed.notify_all()

    def end(self):
        self.over.set()
        self.go_on()
        for thread in self.threads:
            thread.join(5)

    def _rest_here(self, name):
        """Called with nothing in flight."""
        with self.rest_changed:
            self.resting.add(name)
            self.rest_changed.notify_all()
            while self.paused.is_set() and not self.over.is_set():
                self.rest_changed.wait(0.5)
            self.resting.discard(name)

    # ---- publishers ----

    def _take_patient(self, random_):
        try:
            return self.new_patients.get_nowait()
        except queue.Empty:
            return random_.choice(self.patients) if self.patients else None

    def _mllp(self, name, random_, line):
        mllp, flying, again = Mllp(self.broker), collections.deque(), collections.deque()
        stays, done = Stays(self, line, random_), collections.deque(maxlen=50)
        while not self.over.is_set():
            if self.paused.is_set() and not flying and not again:
                self._rest_here(name)
                continue
            if not self.broker.up.wait(0.1):
                continue
            try:
                while len(flying) < mllp.window and (again or not self.paused.is_set()):
                    message = again[0] if again else self._choose(random_, stays, done)
                    if message is None:
                        break
                    message.was_sent(time.monotonic())
                    if again:
                        again.popleft()
                        self.sent_again += 1
                    flying.append(message)
                    mllp.send(message.render())
                if not flying:
                    self.new_patients_wait()
                    continue
                code, identity, text = mllp.answer()
            except NOT_NOW:
                mllp.close()
                again.extendleft(reversed(flying))
                flying.clear()
                continue
            message = flying.popleft()
            if identity != message.identity or code == "CR":
                raise Broken(f"{message.identity} was answered {text!r}")
            if code == "CE":
                self.faults_answered += 1
                again.append(message)
                self.over.wait(0.02)  # as an engine waits before it sends again
            else:
                message.was_acknowledged(time.monotonic())
                stays.acknowledged(message)
                done.append(message)

    def new_patients_wait(self):
        with self.rest_changed:
            self.rest_changed.wait(0.01)

    def _choose(self, random_, stays, done):
        if done and random_.random() < 0.03:
            return random_.choice(done)  # an engine that has lost the answer sends it again
        return stays.next()

    def _cloud(self, name, random_, line):
        http = Http(self.broker, self.publisher_token, self.over.is_set)
        stays = Stays(self, line, random_)
        while not self.over.is_set():
            if self.paused.is_set():
                self._rest_here(name)
            messages = [one for one in (stays.next() for _ in range(random_.choice((1, 1, 3, 6)))) if one is not None]
            if not messages:
                self.new_patients_wait()
                continue
            for message in messages:
                message.was_sent(time.monotonic())
            texts = [message.render() for message in messages]
            batch = len(texts) > 1
            kind = "application/cloudevents-batch+json" if batch else "application/cloudevents+json"
            answer = http.ask("POST", "/events", f"[{','.join(texts)}]" if batch else texts[0], {"Content-Type": kind})
            if answer is None:
                return
            status, said, _ = answer
            if status != 200:
                raise Broken(f"POST /events: {status} {json.dumps(said)}")
            for message, event_id in zip(messages, said["ids"] if batch else [said["id"]]):
                message.events[0].id = event_id
                message.was_acknowledged(time.monotonic())
                stays.acknowledged(message)

    # ---- registrations and subscriptions ----

    def _registrar(self, name, random_, which):
        http = Http(self.broker, self.subscriber_token, self.over.is_set)
        count = 0
        while not self.over.is_set():
            if self.paused.is_set():
                self._rest_here(name)
            way = random_.random()
            if way < 0.6 or not self.patients:
                patient = Patient(self._next_number())
                for _ in range(random_.choice((1, 1, 2, 3, 4))):
                    count += 1
                    self._register(http, random_, patient, f"{which}-{count}")
                self._give(patient)
            elif way < 0.85:
                count += 1
                self._register(http, random_, random_.choice(self.patients), f"{which}-{count}")
            elif way < 0.99:
                self._end(http, random_, random_.choice(self.patients))
            elif which == 0 and len(self.subscriptions) < SUBSCRIPTIONS:
                self.subscribe(http, random_.choice(list(SUBSCRIBERS)), random_.choice((None, ["encounter-admitted-1", "care-plan-changed-1"])))

    def _next_number(self):
        with self.numbers_lock:
            return next(self.numbers)

    def _give(self, patient):
        self.patients.append(patient)
        while not self.over.is_set() and not self.paused.is_set():
            try:
                self.new_patients.put(patient, timeout=0.1)
                return
            except queue.Full:
                continue

    def _register(self, http, random_, patient, key):
        live = [one for one in patient.registrations if one.end_sent is None]
        if len(live) >= 6 or len(patient.registrations) >= 10:
            return
        subscriber = random_.choice(list(SUBSCRIBERS))
        role = random_.choice((ROLES[SUBSCRIBERS[subscriber]], "carer"))
        registration = Registration(patient, subscriber, role)
        registration.sent = time.monotonic()
        patient.registrations.append(registration)
        body = {"patient": patient.number, "subscriber": subscriber, "role": role}
        answer = http.ask("POST", "/registrations", body, {"Idempotency-Key": f"r{key}"})
        if answer is None:
            return
        if answer[0] != 201:
            raise Broken(f"POST /registrations: {answer[0]} {answer[1]}")
        registration.id, registration.acknowledged = answer[1]["id"], time.monotonic()

    def _end(self, http, random_, patient):
        live = [one for one in patient.registrations if one.id is not None and one.end_sent is None]
        if not live:
            return
        registration = random_.choice(live)
        registration.end_sent = time.monotonic()
        answer = http.ask("POST", f"/registrations/{registration.id}/end")
        if answer is None:
            return
        if answer[0] != 200:
            raise Broken(f"POST /registrations/{registration.id}/end: {answer[0]} {answer[1]}")
        registration.end_acknowledged = time.monotonic()

    # ---- readers ----

    def pull(self, http, subscription, after, limit):
        """A page; (head, how many came)."""
        highest = self.told.highest(subscription.id)  # of before: streams go on meanwhile
        status, page, _ = http.once("GET", f"/subscriptions/{subscription.id}/alerts?after={after}&limit={limit}")
        if status == 503:
            return None, 0
        if status != 200:
            raise Broken(f"pull of {subscription.id} after {after}: {status} {page}")
        for i, alert in enumerate(page["alerts"]):
            self.told.note(subscription.id, after + 1 + i, alert)
        if page["head"] < highest:
            raise Broken(f"forgotten: {subscription.id} has head {page['head']}, and number {highest} was seen before")
        return page["head"], len(page["alerts"])

    def _puller(self, name, random_, _):
        http = Http(self.broker, self.subscriber_token)
        while not self.over.is_set():
            for subscription in list(self.subscriptions):
                if not self.broker.up.wait(0.1):
                    break
                whole = self.told.seen[subscription.id].whole
                try:
                    self.pull(http, subscription, whole, 500)
                    if random_.random() < 0.1 and whole > 0:
                        self.pull(http, subscription, random_.randrange(whole), 50)
                except NOT_NOW:
                    break

    def _streamer(self, name, random_, _):
        while not self.over.is_set():
            if not self.subscriptions or not self.broker.up.wait(0.1):
                self.over.wait(0.01)
                continue
            subscription = random_.choice(self.subscriptions)
            after = max(0, self.told.seen[subscription.id].whole - random_.randrange(20))
            try:
                for number, alert in stream(self.broker, self.subscriber_token, subscription.id, after, timeout=12):
                    if number != after + 1:
                        raise Broken(f"stream of {subscription.id}: {number} came after {after}")
                    self.told.note(subscription.id, number, alert)
                    after = number
                    if self.over.is_set():
                        return
            except StreamRefused as refused:
                if refused.status != 503:
                    raise
            except NOT_NOW:
                continue


class Stays:
    """The stays that a publisher tells of, several patients at a time; a careful one waits for the answer about a patient before
    it tells more of that patient."""

    def __init__(self, load, line, random_):
        self.load, self.line, self.random = load, line, random_
        self.under_way = []  # [patient, messages, the one that waits for its answer]

    def next(self):
        if len(self.under_way) < STAYS_AT_ONCE:
            patient = self.load._take_patient(self.random)
            if patient is not None and all(stay[0] is not patient for stay in self.under_way):
                self.under_way.append([patient, self.line.stay(patient, self.random), None])
        free = [stay for stay in self.under_way if stay[2] is None or self.load.hasty]
        if not free:
            return None
        stay = self.random.choice(free)
        message = next(stay[1], None)
        if message is None:
            self.under_way.remove(stay)
            return self.next() if len(free) > 1 else None
        stay[2] = message
        self.load.told.add_events(message.events)
        return message

    def acknowledged(self, message):
        for stay in self.under_way:
            if stay[2] is message:
                stay[2] = None
