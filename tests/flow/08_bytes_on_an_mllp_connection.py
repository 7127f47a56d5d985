"""However the bytes of a message arrive, it is the same message; and what is no message harms none."""

import socket
import threading

import tidings
import wire
from tidings import kinds

LIMIT = 4 * 1024 * 1024
IDLE_INSIDE_SECONDS = 30


class Bytes(tidings.Story):
    def setUp(self):
        self.hospital, self.patient = self.broker.hospital(), self.broker.patient()
        self.practice = self.broker.practice()
        self.practice.register(self.patient)
        self.subscription = self.practice.subscribe()
        self.connection = self.hospital.mllp()
        self.addCleanup(self.connection.close)

    def message(self, spell="V1"):
        return self.hospital.adt("A01", self.patient, spell=spell)

    def told(self):
        (had,) = self.hospital.mark(self.patient, self.subscription)
        return [one["data"]["encounter"]["spell"] for one in had]

    def test_1_several_messages_in_one_read(self):
        self.connection.send_bytes(b"".join(wire.frame(self.message(f"V{count}")) for count in range(5)))
        self.assertEqual([self.connection.receive().code for _ in range(5)], ["AA"] * 5)
        self.assertEqual(self.told(), [f"V{count}" for count in range(5)])

    def test_2_one_message_in_many_reads(self):
        self.connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in wire.frame(self.message()):
            self.connection.send_bytes(bytes([byte]))
        self.assertEqual(self.connection.receive().code, "AA")
        self.assertEqual(self.told(), ["V1"])

    def test_3_line_ends_between_frames_are_skipped(self):
        self.connection.send_bytes(b"\r\n" + wire.frame(self.message()) + b"\r\n\r\n" + wire.frame(self.message("V2")) + b"\n" * 5000)
        self.connection.send(self.message("V3"))
        self.assertEqual([self.connection.receive().code for _ in range(3)], ["AA"] * 3)

    def test_4_other_bytes_between_frames_are_skipped(self):
        self.connection.send_bytes(b"GET / HTTP/1.1" + wire.frame(self.message()) + b"\x00" * 1000 + wire.frame(self.message("V2")))
        self.assertEqual([self.connection.receive().code for _ in range(2)], ["AA"] * 2)
        self.assertEqual(self.told(), ["V1", "V2"])

    def test_5_more_than_a_kibibyte_of_them_closes_the_connection(self):
        self.connection.send(self.message())
        self.assertEqual(self.connection.receive().code, "AA")
        self.connection.send_bytes(b"x" * 1100)
        self.assertTrue(self.connection.is_closed_by_them())
        self.assertEqual(self.told(), ["V1"])
        self.hospital.tell("A01", self.patient, spell="V2")

    def test_6_release_2_commit_blocks_are_skipped(self):
        self.connection.send_bytes(b"\x0b\x06\x1c\r\x0b\x15\x1c\r" + wire.frame(self.message()))
        self.assertEqual(self.connection.receive().code, "AA")

    def test_7_a_message_at_the_limit_is_taken(self):
        message = self.message()
        padding = "NTE|1||" + "x" * (LIMIT - len(message) - 9) + "\r"
        self.assertEqual(self.connection.ask(message + padding).code, "AA")
        self.assertEqual(self.told(), ["V1"])

    def test_8_a_message_over_the_limit_is_refused_and_the_connection_lives(self):
        message = self.hospital.adt("A01", self.patient, control_id="TOOLARGE")
        said = self.connection.ask(message + "NTE|1||" + "x" * LIMIT + "\r")
        self.assertEqual((said.code, said.control_id, said.error), ("AR", "TOOLARGE", "207"))
        self.assertEqual(self.connection.ask(self.message("V2")).code, "AA")
        self.assertEqual(self.told(), ["V2"])
        items = self.broker.work_list(self.hospital.token)
        self.assertEqual([(one["messageId"], one["code"]) for one in items], [("TOOLARGE", "207")])

    def test_9_the_end_block_of_a_message_was_lost(self):
        self.connection.send_bytes(wire.frame(self.message())[:-2])
        self.connection.send(self.message("V2"))
        self.assertEqual(self.connection.receive().code, "AR", "two messages ran into each other: neither is guessed at")
        self.connection.send(self.message("V3"))
        self.assertEqual(self.connection.receive().code, "AA")
        self.assertEqual(self.told(), ["V3"])

    def test_10_a_message_that_does_not_end_is_closed_after_the_idle_limit(self):
        begun = wire.Mllp(self.broker.mllp, within=IDLE_INSIDE_SECONDS + 15)
        self.addCleanup(begun.close)
        begun.send_bytes(wire.frame(self.message())[:-2])
        self.assertEqual(self.connection.ask(self.message("V2")).code, "AA", "others do not wait for it")
        self.assertTrue(begun.is_closed_by_them())
        self.assertEqual(self.told(), ["V2"])

    def test_11_a_connection_that_breaks_in_the_middle_leaves_nothing(self):
        self.connection.send_bytes(wire.frame(self.message())[:200])
        self.connection.close()
        self.hospital.tell("A01", self.patient, spell="V2")
        self.assertEqual(self.told(), ["V2"])

    def test_12_many_connections_at_once_are_all_answered(self):
        answers = []

        def send(number):
            with self.hospital.mllp() as connection:
                answers.extend(connection.ask(self.message(f"V{number}-{count}")).code for count in range(10))

        threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, ["AA"] * 200)
        (had,) = self.hospital.mark(self.patient, self.subscription)
        self.assertEqual(kinds(had), [("new", "encounter-admitted-1")] * 200)
        for number in range(20):
            spells = [one["data"]["encounter"]["spell"] for one in had]
            self.assertEqual([one for one in spells if one.startswith(f"V{number}-")], [f"V{number}-{count}" for count in range(10)])


if __name__ == "__main__":
    tidings.main()
