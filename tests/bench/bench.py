#!/usr/bin/env python3
"""The whole-program benchmarks: starts a broker, drives it, and a bare yardstick beside it in the same run.

  bench.py BUILD latency   publish (HTTP) to live stream, 1,000 events/s, 100 streams, against two chained bare appends
  bench.py BUILD publish   durable HTTP publishes/s, 64 connections, against libmicrohttpd sharing fdatasyncs
  bench.py BUILD idle      start-up and memory of a broker that has nothing to do
  --log kafka://HOST:PORT  on Kafka; --runs N (5), --seconds S (10); medians are printed last
"""
import argparse, json, os, re, shutil, signal, statistics, subprocess, sys, tempfile, time, urllib.request


class Broker:
    def __init__(self, build, log, folder):
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [f"{build}/tidings", "serve", "--data", folder, "--log", log, "--http", "127.0.0.1:0", "--mllp", "127.0.0.1:0"],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.ready_s = time.monotonic() - self.started
        self.port = int(re.search(r"http=127\.0\.0\.1:(\d+)", line).group(1))
        with open(f"{folder}/operator.token") as file:
            self.token = file.read().strip()

    def ask(self, method, path, body, token=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, data=json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())

    def memory_mib(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def nhs_numbers(count):
    for n in range(count):
        body = 999000000 + n * 3
        while True:
            check = (11 - sum(int(d) * (10 - i) for i, d in enumerate(str(body))) % 11) % 11
            if check != 10:
                break
            body += 1
        yield f"{body}{check}"


def publisher_token(broker):
    broker.ask("PUT", "/organisations/R0B", {"name": "Bench", "kind": "hospital", "sources": ["urn:bench"]})
    return broker.ask("POST", "/tokens", {"organisations": ["R0B"], "roles": ["publisher"]})["token"]


def numbers(pattern, text):
    return [float(x) for x in re.search(pattern, text).groups()]


def latency(args, folder):
    broker = Broker(args.build, args.log, folder + "/broker")
    publisher = publisher_token(broker)
    practices = [f"A{n:05}" for n in range(100)]
    for ods in practices:
        broker.ask("PUT", f"/organisations/{ods}", {"name": ods, "kind": "gp-practice"})
    subscriber = broker.ask("POST", "/tokens", {"organisations": practices, "roles": ["subscriber"]})["token"]
    for n, number in enumerate(nhs_numbers(300)):
        for role, which in (("gp", n), ("care-home", n + 33), ("community", n + 66)):
            broker.ask("POST", "/registrations", {"patient": number, "subscriber": practices[which % 100], "role": role})
    streams = [broker.ask("POST", "/subscriptions", {"subscriber": ods, "channel": {"kind": "pull"}})["id"] + "=" + subscriber
               for ods in practices]
    time.sleep(1)
    ours = subprocess.run([f"{args.build}/tests/bench/bench_stream_load", str(broker.port), publisher, "1000", str(args.seconds), *streams],
                          capture_output=True, text=True, check=True).stdout
    broker.stop()
    bare_log = args.log
    os.makedirs(folder + "/bare", exist_ok=True)
    bare = subprocess.run([f"{args.build}/tests/bench/bench_bare_chain", bare_log, folder + ("/bare" if bare_log == "embedded" else "/broker"),
                           "1000", str(args.seconds), "3"], capture_output=True, text=True, check=True).stdout
    print(ours.strip(), "|", bare.strip(), flush=True)
    a, b = numbers(r"p50 ([\d.]+) ms, p99 ([\d.]+)", ours), numbers(r"p50 ([\d.]+) ms, p99 ([\d.]+)", bare)
    return {"p50 ms": a[0], "p99 ms": a[1], "bare p50 ms": b[0], "bare p99 ms": b[1], "p50 ratio": a[0] / b[0], "p99 ratio": a[1] / b[1]}


def publish(args, folder):
    broker = Broker(args.build, args.log, folder + "/broker")
    publisher = publisher_token(broker)
    ours = subprocess.run([f"{args.build}/tests/bench/bench_publish_load", str(broker.port), publisher, "64", str(args.seconds)],
                          capture_output=True, text=True, check=True).stdout
    broker.stop()
    os.makedirs(folder + "/bare")
    server = subprocess.Popen([f"{args.build}/tests/bench/bench_bare_http", folder + "/bare"], stdout=subprocess.PIPE, text=True)
    port = server.stdout.readline().strip()
    bare = subprocess.run([f"{args.build}/tests/bench/bench_publish_load", port, "none", "64", str(args.seconds)],
                          capture_output=True, text=True, check=True).stdout
    server.kill()
    print(ours.strip(), "|", bare.strip(), flush=True)
    a, b = numbers(r"publishes: (\d+)/s", ours)[0], numbers(r"publishes: (\d+)/s", bare)[0]
    return {"publishes/s": a, "bare/s": b, "ratio": a / b}


def idle(args, folder):
    broker = Broker(args.build, args.log, folder + "/broker")
    first_s = broker.ready_s
    broker.stop()
    broker = Broker(args.build, args.log, folder + "/broker")
    time.sleep(2)
    figures = {"first start ms": first_s * 1000, "start ms": broker.ready_s * 1000, "idle MiB": broker.memory_mib()}
    broker.stop()
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("what", choices=["latency", "publish", "idle"])
    parser.add_argument("--log", default="embedded")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    results = []
    for _ in range(args.runs):
        folder = tempfile.mkdtemp(prefix="tidings-bench-")
        os.makedirs(folder + "/broker", exist_ok=True)
        try:
            results.append(globals()[args.what](args, folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    for name in results[0]:
        print(f"{name}: median {statistics.median(r[name] for r in results):.2f}  "
              f"(min {min(r[name] for r in results):.2f}, max {max(r[name] for r in results):.2f}, {len(results)} runs)")


if __name__ == "__main__":
    sys.exit(main())
