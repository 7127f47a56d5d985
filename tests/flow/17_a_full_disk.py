"""No room left: publishers are told to send again, nothing that was acknowledged is lost, and it heals by itself."""

import os
import subprocess
import sys
import unittest

import tidings
from tidings import until

ROOM_BYTES = 48 * 1024 * 1024
WITHIN = 60
INSIDE = "TIDINGS_FLOW_OWN_MOUNTS"  # set where this file runs in a mount namespace of its own


def run_where_one_may_mount():
    """Runs this file again in a mount namespace of its own: as root, or as root of a user namespace."""
    unshare = ["unshare", "--mount"]
    ways = [unshare, [*unshare, "--propagation", "unchanged"], [*unshare, "--user", "--map-root-user"]]  # the second: in a chroot
    for way in ways:
        attempt = "mount -t tmpfs -o size=1m tmpfs /mnt && umount /mnt"
        if subprocess.run([*way, "sh", "-c", attempt], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            os.environ[INSIDE] = "yes"
            os.execvp(way[0], [*way, sys.executable, "-B", *sys.argv])
    raise unittest.SkipTest("no file system of a given size can be mounted here (neither as root nor in a user namespace)")


class AFullDisk(tidings.Story):
    @classmethod
    def setUpClass(cls):
        if INSIDE not in os.environ:
            run_where_one_may_mount()
        super().setUpClass()

    def setUp(self):
        """The data folder moves to a small file system: the broker is started again there."""
        broker = self.broker
        broker.stop()
        broker.data = broker.room / "small" / "data"
        (broker.room / "small").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_BYTES}", "tmpfs", str(broker.room / "small")], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(broker.room / "small")], check=True)
        (broker.room / "data").rename(broker.room / "first") if broker.kafka is None else None
        if broker.kafka is not None:
            subprocess.run(["cp", "-a", str(broker.room / "data"), str(broker.data)], check=True)
        broker.start()
        self.addCleanup(broker.finish)

    def fill(self):
        """Takes what room there is."""
        with open(self.broker.room / "small" / "ballast", "ab", buffering=0) as ballast:
            size = 1024 * 1024
            while size > 0:
                try:
                    ballast.write(b"\x00" * size)
                except OSError:
                    size //= 2

    def free(self):
        (self.broker.room / "small" / "ballast").unlink()

    def send(self, hospital, patient, spell):
        """How one message over MLLP and one event over HTTP were answered."""
        with hospital.mllp() as connection:
            said = connection.ask(hospital.adt("A01", patient, spell=spell, control_id=f"FULL{spell}"))
        answer = hospital.post(hospital.event("care-plan-changed-1", patient, f"full{spell}"))
        return said, answer

    def test_1_publishers_send_again_and_it_heals(self):
        broker = self.broker
        hospital, practice, patient = broker.hospital(), broker.practice(), broker.patient()
        practice.register(patient)
        subscription = practice.subscribe()
        said, answer = self.send(hospital, patient, "before")
        self.assertEqual((said.code, answer.status), ("AA", 200))
        subscription.alerts(2)
        self.fill()
        taken = []
        for count in range(400):
            said, answer = self.send(hospital, patient, str(count))
            if said.code == "AA":
                taken.append(f"FULL{count}")
            if (said.code, answer.status) == ("AE", 503):
                break
        if broker.kafka is None:
            self.assertEqual((said.code, said.error, answer.status), ("AE", "207", 503))
            self.assertIn("Retry-After", answer.headers)
            self.assertEqual(broker.ask("GET", "/health/live").status, 200)
            until(lambda: broker.ask("GET", "/health/ready").status == 503, WITHIN, "not ready")
        self.free()
        until(lambda: broker.ask("GET", "/health/ready").status == 200, WITHIN, "ready")
        last = until(lambda: self.sent_again(hospital, patient, str(count)), WITHIN, "an acknowledgement")
        alerts = subscription.until_event(last, within=WITHIN)
        spells = [one["data"]["encounter"]["spell"] for one in alerts if "encounter" in one["data"]]
        self.assertEqual(spells, ["before"] + [str(number) for number in range(count + 1)], "all, once, in order")
        self.assertEqual([one["data"]["number"] for one in alerts], list(range(1, len(alerts) + 1)))
        broker.restart()
        self.assertEqual(subscription.page(limit=1000).json["alerts"][: len(alerts)], alerts)

    def sent_again(self, hospital, patient, spell):
        said, answer = self.send(hospital, patient, spell)
        return answer.json["id"] if (said.code, answer.status) == ("AA", 200) else None


if __name__ == "__main__":
    tidings.main()
