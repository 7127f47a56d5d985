"""Rows of the crash table about the fold that emits, and about numbers: match dies at each of its points."""

import os

from scene import Broken, LISTENERS


def _dies_in_match(scene, point, *options):
    """Told once before and stopped in order, so S and C are at the end; then match dies on the next event."""
    scene.set_up()
    scene.start()
    scene.taken("A01", "V1")
    scene.told("admitted V1")
    scene.stop()
    scene.start("--kill-at", f"match/{point}", *options)
    scene.send("A03", "V1", "m1")
    scene.dies()


def _once(scene):
    """After the restart the discharge is told once; the hospital sends it again or not, as it had an answer or not."""
    scene.start()
    scene.taken("A03", "V1", "m1")
    scene.told("admitted V1", scene.told_before()[-1], "discharged V1")
    scene.taken("A13", "V1")
    scene.told(*scene.told_before(), "cancelled V1")


def batch_read(scene):
    _dies_in_match(scene, "batch-read")
    _once(scene)


def outputs_partly_appended(scene):
    _dies_in_match(scene, "outputs-appended")
    scene.cut_last("alerts")  # of two tellings the first is durable
    _once(scene)


def outputs_appended(scene):
    _dies_in_match(scene, "outputs-appended")
    _once(scene)


def store_committed(scene):
    _dies_in_match(scene, "store-committed", "--commit-ms", "1")
    _once(scene)


def offset_committed(scene):
    _dies_in_match(scene, "offset-committed", "--commit-ms", "1")
    _once(scene)


def moved_after_store_before_offset(scene):
    """The other machine has an older copy of the store; and once more with none at all."""
    scene.set_up()
    scene.start()
    scene.taken("A01", "V1")
    scene.told("admitted V1")
    scene.stop()
    older = scene.copy("older", "match.store*")
    for number, put_back in enumerate((True, False)):
        scene.start("--kill-at", "match/store-committed", "--commit-ms", "1")
        scene.send("A01", f"W{number}", f"m{number}")
        scene.dies()
        scene.remove("match.store*")
        if put_back:
            scene.put_back(older, "match.store*")
        scene.start()
        scene.taken("A01", f"W{number}", f"m{number}")
        scene.told(*scene.told_before(), f"admitted W{number}")
        scene.stop()


def store_lost(scene):
    _dies_in_match(scene, "outputs-appended")
    scene.remove("match.store*")
    _once(scene)


def offset_lost(scene):
    _dies_in_match(scene, "outputs-appended")
    scene.remove("log/groups.db*")
    _once(scene)


def store_and_offset_lost(scene):
    _dies_in_match(scene, "outputs-appended")
    stores = scene.copy("stores", "match.store*")
    scene.remove("match.store*", "log/groups.db*")
    scene.broker.start()
    why = scene.broker.wait_refusal()
    if "tidings recover" not in why:
        raise Broken(f"it does not say what to do: {why}")
    scene.put_back(stores, "match.store*")  # nothing was spoilt by the refusal
    _once(scene)


def store_commit_torn(scene):
    _dies_in_match(scene, "store-committed", "--commit-ms", "1")
    wal = scene.path("match.store-wal")
    os.truncate(wal, os.path.getsize(wal) - 100)  # the frame that says "committed" was not whole
    _once(scene)


def log_restored(scene):
    scene.set_up()
    scene.start()
    scene.taken("A01", "V1")
    scene.told("admitted V1")
    scene.stop()
    older = scene.copy("older", "log", "keys.db*")
    scene.start()
    scene.taken("A03", "V1")
    scene.told(*scene.told_before(), "discharged V1")
    scene.stop()
    ahead = scene.copy("ahead", "*.store*")
    scene.put_back(older, "log", "keys.db*")
    _refused_as_incident(scene)  # the log ends before what was folded
    scene.remove("*.store*")
    scene.expected = ["admitted V1", scene.expected[1]]
    scene.start()
    for spell in ("W1", "W2", "W3"):
        scene.taken("A01", spell)  # the log goes on: offsets are used twice
    scene.told(*scene.told_before(), "admitted W1", "admitted W2", "admitted W3")
    scene.stop()
    scene.remove("*.store*")
    scene.put_back(ahead, "*.store*")
    _refused_as_incident(scene)


def _refused_as_incident(scene):
    scene.broker.start()
    why = scene.broker.wait_refusal()
    if "restored" not in why and "beyond" not in why and "truncated" not in why:
        raise Broken(f"it does not say that the log was restored: {why}")


def quarantined(scene):
    """Bytes that are no record, among the patient's events; the owner of the partition dies with the item durable."""
    scene.set_up()
    for partition in range(4):
        scene.forge("events", "forged", "no record", partition)
    scene.broker.start("--kill-at", "match/outputs-appended")
    scene.dies()
    scene.start()
    scene.taken("A01", "V1")
    scene.told("admitted V1")
    operator = scene.http(scene.broker.operator_token())
    items = []
    for _ in range(100):
        status, answer, _ = operator.once("GET", "/quarantine")
        if status != 200:
            raise Broken(f"GET /quarantine: {status} {answer}")
        items = [(one["position"]["partition"], one["position"]["offset"]) for one in answer["items"]]
        if len(items) >= 4:
            break
    if sorted(one for one, _ in items) != [0, 1, 2, 3]:
        raise Broken(f"in quarantine: {items}")


# ---- numbers and streams ----


def telling_read_row_not_committed(scene):
    """At the exact point, and once more with the number shown to a reader."""
    scene.set_up()
    scene.start("--kill-at", "api/batch-applied")
    scene.send("A01", "V1", "m1")
    scene.dies()
    scene.start("--commit-ms", "100000")
    scene.taken("A01", "V1", "m1")
    before = scene.told("admitted V1")
    scene.kill()
    scene.start()
    after = scene.told(*scene.told_before())
    if any(after[ods][: len(before[ods])] != before[ods] for ods in LISTENERS):
        raise Broken(f"numbers changed: {before} became {after}")


def streamed_not_received(scene):
    scene.set_up()
    scene.start()
    scene.taken("A01", "V1")
    scene.taken("A03", "V1")
    first = scene.listen(LISTENERS[0], 0, 2)  # and the connection is gone
    again = scene.listen(LISTENERS[0], 1, 1)
    scene.kill()
    scene.start()
    later = scene.listen(LISTENERS[0], 1, 1)
    if again != first[1:] or later != first[1:]:
        raise Broken(f"streamed {first}, then {again}, after the restart {later}")
    scene.told("admitted V1", "discharged V1")


def number_store_lost(scene):
    scene.set_up()
    scene.start()
    for trigger in ("A01", "A03", "A13"):
        scene.taken(trigger, "V1")
    before = scene.told("admitted V1", "discharged V1", "cancelled V1")
    scene.kill()
    scene.remove("api.store*", "deliver.store*")
    scene.start()
    after = scene.told(*scene.told_before())
    if any(after[ods][: len(before[ods])] != before[ods] for ods in LISTENERS):
        raise Broken(f"numbers changed: {before} became {after}")


ROWS = (
    batch_read,
    outputs_partly_appended,
    outputs_appended,
    store_committed,
    offset_committed,
    moved_after_store_before_offset,
    store_lost,
    offset_lost,
    store_and_offset_lost,
    store_commit_torn,
    log_restored,
    quarantined,
    telling_read_row_not_committed,
    streamed_not_received,
    number_store_lost,
)
