"""Other people's clients listen: npm eventsource, and EventSource in Chromium; both go on by Last-Event-ID after a restart."""

import json
import queue
import subprocess
import threading
import unittest

import foreign
from chromium import Chromium
from foreign import NODE_MODULES, needed, tidings

WITHIN = 30


class Listeners(tidings.Story):
    def setUp(self):
        self.hospital, self.patient, self.practice = self.broker.hospital(), self.broker.patient(), self.broker.practice()
        self.practice.register(self.patient)
        self.subscription = self.practice.subscribe()
        self.subscription.get()

    def restart_here(self):
        """Down and up again at the same address, while things happen between."""
        http, mllp = self.broker.http, self.broker.mllp
        self.broker.stop()
        self.broker.start("--http", http, "--mllp", mllp)


class NodeListens(Listeners):
    def lines_of(self, process):
        lines = queue.Queue()
        threading.Thread(target=lambda: [lines.put(line.strip()) for line in process.stdout], daemon=True).start()
        return lines

    def expect(self, lines, wanted):
        seen = []
        while wanted not in seen:
            try:
                seen.append(lines.get(timeout=WITHIN))
            except queue.Empty:
                raise AssertionError(f"{wanted!r} did not come, but {seen}") from None
        return seen

    def test_1_npm_eventsource_listens_and_resumes(self):
        if not (NODE_MODULES / "eventsource").is_dir():
            raise unittest.SkipTest(f"there is no eventsource in {NODE_MODULES} (./test gets it: tests/foreign/package.json)")
        url = f"http://{self.broker.http}{self.subscription.path}/stream"
        command = [needed("node", "nodejs"), str(foreign.HERE / "listen.mjs"), str(NODE_MODULES), url, self.practice.token, "4"]
        listener = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(listener.stdout.close)
        self.addCleanup(listener.kill)
        lines = self.lines_of(listener)
        self.expect(lines, "open")
        self.hospital.tell("A01", self.patient)
        self.hospital.tell("A03", self.patient)
        self.expect(lines, "alert 2 2 encounter-discharged-1")
        self.restart_here()
        self.hospital.tell("A13", self.patient)
        self.hospital.tell("A11", self.patient)
        seen = [one for one in self.expect(lines, "alert 4 4 encounter-cancelled-1") if one.startswith("alert")]
        self.assertEqual(seen, ["alert 3 3 encounter-cancelled-1", "alert 4 4 encounter-cancelled-1"], "no gap and no double")
        self.assertEqual(listener.wait(WITHIN), 0)


class ChromiumListens(Listeners):
    @classmethod
    def setUpClass(cls):
        cls.chromium = Chromium()
        cls.addClassCleanup(cls.chromium.close)
        super().setUpClass()

    def link(self):
        made = self.broker.must(201, "POST", "/tokens/link", self.broker.operator, {"organisation": self.practice.id}).json
        self.broker.secrets.add(made["code"].split(".", 1)[1])
        return f"http://{self.broker.http}/#code={made['code']}"

    def sign_in(self):
        self.chromium.open("about:blank")
        self.chromium.open(self.link())
        self.chromium.until("document.getElementById('reading') && !document.getElementById('reading').hidden")

    def texts(self, count):
        """The alerts on the page, newest first, when there are so many."""
        self.chromium.until(f"document.querySelectorAll('#alerts > li').length >= {count}")
        return self.chromium.run("[...document.querySelectorAll('#alerts > li')].map(one => one.innerText)")

    def test_1_eventsource_listens_and_resumes(self):
        self.sign_in()
        path = json.dumps(f"{self.subscription.path}/stream")
        self.chromium.run(f"""window.seen = []; window.opened = 0;
            window.source = new EventSource({path});
            source.onopen = () => window.opened++;
            source.addEventListener('alert', event => window.seen.push([event.lastEventId, JSON.parse(event.data).type]));""")
        self.chromium.until("window.opened === 1")
        self.hospital.tell("A01", self.patient)
        self.chromium.until("window.seen.length === 1")
        self.restart_here()
        self.hospital.tell("A03", self.patient)
        self.hospital.tell("A13", self.patient)
        self.chromium.until("window.seen.length === 3", within=60)
        self.assertEqual(self.chromium.run("window.seen"), [
            ["1", "encounter-admitted-1"], ["2", "encounter-discharged-1"], ["3", "encounter-cancelled-1"]])

    def test_2_a_person_sees_alerts_arrive_and_marks_one_as_opened(self):
        self.hospital.tell("A01", self.patient)
        self.sign_in()
        (first,) = self.texts(1)
        self.assertIn(self.patient.family.upper(), first)
        self.assertIn("Admitted to hospital", first)
        self.assertEqual(self.chromium.run("location.hash"), "", "a code is not for the history")
        self.hospital.tell("A03", self.patient)
        self.assertIn("Discharged from hospital", self.texts(2)[0])
        self.hospital.tell("A13", self.patient)
        self.assertIn("taken back", self.texts(3)[0].lower())
        buttons = "[...document.querySelectorAll('#alerts > li button')]"
        self.chromium.run(f"{buttons}[0].click()")
        self.chromium.until("/opened/i.test(document.querySelector('#alerts > li').innerText) && "
                            "!/mark as opened/i.test(document.querySelector('#alerts > li').innerText)")

    def test_3_the_page_goes_on_after_a_restart_by_itself(self):
        self.sign_in()
        self.chromium.until("document.getElementById('connection').dataset.state === 'live' || "
                            "/live/i.test(document.getElementById('connection').textContent)")
        self.hospital.tell("A01", self.patient)
        self.texts(1)
        self.restart_here()
        self.hospital.tell("A11", self.patient)
        self.chromium.until("document.querySelectorAll('#alerts > li').length === 2", within=60)

    def test_4_signing_out_leaves_nothing_on_the_page(self):
        self.hospital.tell("A01", self.patient)
        self.sign_in()
        self.texts(1)
        self.chromium.run("document.getElementById('sign-out').click()")
        self.chromium.until("!document.getElementById('signing-in').hidden")
        self.assertNotIn(self.patient.family, self.chromium.run("document.documentElement.outerHTML"))
        self.assertEqual(self.chromium.run("fetch('/subscriptions').then(answer => answer.status)"), 401)

    def test_5_what_a_message_says_is_text_and_never_markup(self):
        self.patient.given = f"<img src=x onerror=window.hurt=1>{self.patient.given}"
        self.hospital.tell("A01", self.patient)
        self.sign_in()
        self.assertIn("<img", self.texts(1)[0])
        self.assertIsNone(self.chromium.run("window.hurt"))


if __name__ == "__main__":
    foreign.main()
