"""The oracle: what must be true of the logs, worked out from them by another way than the rules (sets of all causes seen, no
watermarks, no stores, one pass)."""

from meaning import ALERTS, EVENTS, QUARANTINE, Patient, due, match, wake
from runner import alert_of


class Wrong(Exception):
    """A loss, a double, a wrong order, a number that changed."""


def first_seen(records):
    """The records without those that repeat a cause."""
    seen = set()
    for offset, record in enumerate(records):
        if record.cause is not None:
            if record.cause in seen:
                continue
            seen.add(record.cause)
        yield offset, record


def ideal_outputs(log):
    """(source partition, target) -> outputs in their order, of a fold that nothing ever happened to."""
    outputs = {}
    for partition, records in log.topic(EVENTS):
        states, rules, now = {}, 1, 0
        for offset, record in first_seen(records):
            made = []
            if record.kind == "rules":
                rules = max(rules, record.value)
            elif record.kind == "tick":
                now = max(now, record.value)
                for key in due(states, now):
                    states[key], more = wake(log.shape, states[key])
                    made += more
            else:
                states[record.key], made = match(log.shape, rules, states.get(record.key, Patient()), record)
            for index, (topic, target, output) in enumerate(made):
                outputs.setdefault((partition, topic, target), []).append(((offset, index), output))
    return outputs


def check_outputs(log):
    """Every record's outputs stand in the log, in order; only repeats besides."""
    ideal = ideal_outputs(log)
    real = {}
    for (topic, target), records in log.partitions.items():
        for _, record in first_seen(records):
            if record.cause is not None:
                place = record.cause[2:]
                real.setdefault((record.cause.partition, topic, target), []).append((place, record._replace(cause=None)))
    for where in sorted(set(ideal) | set(real)):
        want, have = ideal.get(where, []), real.get(where, [])
        if want == have:
            continue
        missing = [output for output in want if output not in have]
        extra = [output for output in have if output not in want]
        between = f"from events/{where[0]} to {where[1]}/{where[2]}"
        if missing:
            raise Wrong(f"loss: {missing[0][1]!r}, cause {missing[0][0]}, {between}")
        if extra:
            raise Wrong(f"double: {extra[0][1]!r}, cause {extra[0][0]}, {between}")
        raise Wrong(f"order: {between}")


def ideal_rows(log):
    """(subscription, number) -> alert, folded from the alerts as they stand."""
    rows, heads = {}, {}
    for topic in (ALERTS, QUARANTINE):
        for _, records in log.topic(topic):
            for _, record in first_seen(records):
                if record.kind == "subscribe":
                    heads.setdefault((record.key, record.id), 0)
                    continue
                for subscription in [s for s in heads if s[0] == record.key] if record.kind == "telling" else ["work list"]:
                    heads[subscription] = heads.get(subscription, 0) + 1
                    rows[(subscription, heads[subscription])] = alert_of(record)
    return rows


def check_rows(log, readers):
    want = ideal_rows(log)
    for reader in readers:
        have = {}
        for _, _, rows, _ in reader.parts.values():
            have.update(rows)
        check_numbers(have)
        if have == want:
            continue
        by_subscription = {}
        for sign, rows in ((1, want), (-1, have)):
            for (subscription, _), alert in rows.items():
                counts = by_subscription.setdefault((subscription, alert), 0)
                by_subscription[(subscription, alert)] = counts + sign
        lost = [what for what, count in by_subscription.items() if count > 0]
        more = [what for what, count in by_subscription.items() if count < 0]
        if lost:
            raise Wrong(f"loss: subscription {lost[0][0]} was not told {lost[0][1]}")
        if more:
            raise Wrong(f"double: subscription {more[0][0]} was told {more[0][1]} once too often")
        raise Wrong("order: numbers were given in another order than the log's")


def check_numbers(rows):
    """1, 2, 3 ... in each subscription; nothing twice; a patient's news in the patient's order."""
    heads, told = {}, set()
    for (subscription, number), alert in sorted(rows.items(), key=lambda row: (str(row[0][0]), row[0][1])):
        if number != heads.get(subscription, 0) + 1:
            raise Wrong(f"gap: subscription {subscription} before number {number}")
        heads[subscription] = number
        if (subscription, alert) in told:
            raise Wrong(f"double: subscription {subscription} was told {alert} again as number {number}")
        told.add((subscription, alert))


def check_published(log, acknowledged):
    """What a publisher was answered for is in the log."""
    present = {record.id for _, records in log.topic(EVENTS) for record in records}
    missing = acknowledged - present
    if missing:
        raise Wrong(f"loss: event {min(missing)} was acknowledged and is not in the log")
