"""Rows of the crash table about the first start, and the log itself."""

import os
import resource
import threading

from scene import Broken, LISTENERS
from talking import NOT_NOW, Mllp


def _first_start_goes_on(scene, point):
    scene.broker.start("--kill-at", f"serve/{point}")
    scene.dies()
    scene.start()
    scene.make_world()
    scene.taken("A01", "V1")
    scene.told("admitted V1")


def log_made_region_key_not(scene):
    _first_start_goes_on(scene, "log-made")


def region_key_made_rules_not(scene):
    _first_start_goes_on(scene, "region-key-made")


def topics_made_rules_partly(scene):
    """Those of events are there, of alerts are not; and the last partition of events has none either."""
    scene.broker.start("--kill-at", "serve/rules-partly")
    scene.dies()
    scene.cut_last("events")
    scene.start()
    scene.make_world()
    scene.taken("A01", "V1")
    scene.told("admitted V1")
    scene.stop()
    if len(scene.frames("events")) - 1 < 4 + len(LISTENERS):
        raise Broken("a partition has no rules")


def operator_token_not_written(scene):
    scene.broker.start("--kill-at", "serve/operator-token-recorded")
    scene.dies()
    if os.path.exists(scene.path("operator.token")):
        raise Broken("the token is written already")
    scene.start()
    scene.make_world()
    scene.taken("A01", "V1")
    scene.told("admitted V1")


def started_nothing_committed(scene):
    """Everything is there before match runs for the first time; its first outputs are durable, and it dies."""
    scene.set_up("--roles", "ingest,api")
    scene.start("--roles", "ingest,api")
    scene.taken("A01", "V1", "m1")
    scene.stop()
    scene.broker.start("--kill-at", "match/outputs-appended")
    scene.dies()
    scene.start()
    scene.told("admitted V1")


def segment_torn_tail(scene):
    scene.set_up()
    scene.start()
    scene.taken("A01", "V1")
    scene.told("admitted V1")
    scene.kill()
    frames = scene.frames("events")
    with open(scene.segment("events"), "r+b") as file:
        file.seek(frames[-2])
        half = file.read(60)
        file.seek(frames[-1])
        file.write(half)
    with open(scene.segment("alerts"), "ab") as file:
        file.write(b"something else")
    scene.start()
    with open(os.path.join(scene.folder, "notes"), encoding="utf-8") as notes:
        if "bytes=74" not in notes.read():
            raise Broken("there is no note of the 74 bytes that were cut")
    scene.taken("A03", "V1")
    scene.told(*scene.told_before(), "discharged V1")
    scene.stop()
    scene.start()
    scene.told(*scene.told_before())


def disk_full(scene):
    """The file of events may not grow: the same to a writer as a disk without space."""
    scene.set_up()
    scene.start()
    scene.taken("A01", "V1")
    scene.told("admitted V1")
    size = os.path.getsize(scene.segment("events"))
    unlimited = resource.prlimit(scene.broker.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(scene.broker.process.pid, resource.RLIMIT_FSIZE, (size, unlimited[1]))
    code = scene.send("A03", "V1", "m1")
    if code != "CE":
        raise Broken(f"on a full disk it was answered {code}")
    status, _ = scene.post_event("c1", "W1")
    if status != 503:
        raise Broken(f"on a full disk the event was answered {status}")
    resource.prlimit(scene.broker.process.pid, resource.RLIMIT_FSIZE, unlimited)
    while (code := scene.send("A03", "V1", "m1")) == "CE":
        pass
    while (answer := scene.post_event("c1", "W1"))[0] == 503:
        pass
    if code != "CA" or answer[0] != 200:
        raise Broken(f"with space again: {code}, {answer}")
    scene.told(*scene.told_before(), "discharged V1", "admitted W1")


def stopped(scene):
    scene.set_up()
    scene.start()
    acknowledged, over = [], threading.Event()

    def hospital():
        mllp, sent = Mllp(scene.broker), 0
        try:
            while not over.is_set():
                while sent < len(acknowledged) + 20:
                    mllp.send(scene.text("A01", f"S{sent}", f"load-{sent}"))
                    sent += 1
                code, identity, _ = mllp.answer()
                if code == "CA":
                    acknowledged.append(identity.replace("load-", "admitted S"))
        except NOT_NOW:
            mllp.close()

    thread = threading.Thread(target=hospital)
    thread.start()
    scene.alerts(LISTENERS[0], 50)
    code, seconds = scene.broker.stop()
    over.set()
    thread.join()
    if code != 0 or seconds > 10:
        raise Broken(f"it ended with {code} after {seconds:.1f} s: {scene.broker.last_note()}")
    tellings = os.path.getsize(scene.segment("alerts"))
    scene.start()
    found = scene.alerts(LISTENERS[0], len(acknowledged))
    scene.stop()
    if os.path.getsize(scene.segment("alerts")) != tellings:
        raise Broken("the next start told something again")
    said = [f"admitted {one['data']['encounter']['spell']}" for one in found]
    if said[: len(acknowledged)] != acknowledged:
        raise Broken(f"{len(acknowledged)} were acknowledged, told are {len(said)}: {said[-5:]}")


ROWS = (
    log_made_region_key_not,
    region_key_made_rules_not,
    topics_made_rules_partly,
    operator_token_not_written,
    started_nothing_committed,
    segment_torn_tail,
    disk_full,
    stopped,
)
