"""Rows of the crash table that need a real Kafka."""

import os
import shutil
import signal
import threading
import time

from running import Broker
from scene import Broken, LISTENERS

MESSAGES = 60
TAKE_OVER_S = 60


def broker_killed(scene):
    """A hospital that sends one after the other, and each again until it is taken; Kafka dies in the middle."""
    scene.set_up()
    scene.start()
    failed = []

    def hospital():
        deadline = time.monotonic() + 2 * TAKE_OVER_S
        for number in range(MESSAGES):
            while scene.send("A01", f"S{number}", f"m{number}") != "CA":
                if time.monotonic() > deadline:
                    failed.append(f"message {number} was not taken")
                    return

    thread = threading.Thread(target=hospital)
    thread.start()
    scene.alerts(LISTENERS[0], 5, TAKE_OVER_S)
    scene.kafka.kill()
    scene.kafka.start()
    thread.join()
    if failed:
        raise Broken(failed[0])
    scene.patience = TAKE_OVER_S
    scene.told(*[f"admitted S{number}" for number in range(MESSAGES)])


def old_owner_goes_on(scene):
    """The first machine stops between deciding and telling; the second takes over and tells; then the first goes on."""
    scene.set_up()
    scene.start()
    scene.patience = TAKE_OVER_S
    scene.taken("A01", "V1")
    scene.told("admitted V1")
    scene.stop()
    first = scene.broker
    first.start("--stop-at", "match/batch-applied")
    first.wait_up(TAKE_OVER_S)
    scene.send_only("A03", "V1", "m1")
    _, status = os.waitpid(first.process.pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise Broken("the first machine did not stop")
    scene.hang_up()
    other = os.path.join(scene.folder, "other")
    second = Broker(scene.binary, other, first.log, [*scene.options, "--machine", "second"])
    os.makedirs(second.data)
    shutil.copy2(os.path.join(first.data, "region.key"), second.data)
    try:
        scene.broker = second
        second.start()
        second.wait_up(TAKE_OVER_S)
        scene.taken("A03", "V1", "m1")
        expected = [*scene.told_before(), "discharged V1"]
        told = scene.told(*expected)
        os.kill(first.process.pid, signal.SIGCONT)
        scene.taken("A13", "V1")
        again = scene.told(*scene.told_before(), "cancelled V1")
        scene.broker = first  # what the old owner shows is the same
        last = {ods: scene.alerts(ods, len(again[ods]), TAKE_OVER_S) for ods in LISTENERS}
        if any(again[ods][: len(told[ods])] != told[ods] or last[ods] != again[ods] for ods in LISTENERS):
            raise Broken(f"the machines differ: {again} and {last}")
    finally:
        scene.broker = first
        second.end()


ROWS = (old_owner_goes_on, broker_killed)
