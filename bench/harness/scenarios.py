"""What is measured, and how good it shall be: one Scenario a line of the table."""

import dataclasses
import re
import socket
import typing

from . import pairs, relays


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure of a scenario's runs. `target` is the ratio Tandem/stock; `worst` a bound in its own unit."""

    key: str
    title: str
    target: float | None = None
    at_least: bool = False      # the ratio shall be at least the target
    most: float | None = None   # Tandem's own figure shall be at most this
    least: float | None = None  # or at least this


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    figures: tuple
    run: typing.Callable  # of the machine and the server's binary; returns the figures by key


def all_scenarios(quick):
    """All scenarios; `quick` has smaller files and counts, for the same figures."""
    size = "medium" if quick else "large"
    nb, sb = f"nb-{size}", f"sb-{size}"
    few = 5 if quick else 1  # divides counts

    def on(files, scenario, **options):
        def run(machine, binary):
            server = machine.server(binary, files)
            try:
                figures = machine.load(scenario, server, **options)
                return figures | {"peak_mib": server.memory("VmHWM") / 2**20}
            finally:
                server.kill()
        return run

    cpu, peak = "CPU, µs", Figure("peak_mib", "peak memory, MiB")
    latency = tuple(Figure(f"latency_{p}_ms", f"latency {p}, ms") for p in ("p50", "p99", "max"))
    listed = [
        Scenario("mixed", "transactions, 4 connections × 8 in flight",
                 (Figure("cpu_us", cpu, 0.40), Figure("per_s", "per second"), *latency, peak),
                 on([nb], "transactions", count=100_000 // few)),
        Scenario("one-by-one", "transactions, one at a time",
                 (Figure("cpu_us", cpu, 0.75), Figure("per_s", "per second"), *latency),
                 on([nb], "transactions", count=40_000 // few, connections=1, in_flight=1)),
        Scenario("many-connections", "transactions, 32 connections, one at a time each",
                 (Figure("cpu_us", cpu, 0.40), Figure("per_s", "per second"), *latency),
                 on([nb], "transactions", count=100_000 // few, connections=32, in_flight=1)),
        Scenario("inserts", "500 inserts a transaction, a row",
                 (Figure("cpu_us", cpu, 0.35), Figure("rows_per_s", "rows per second"), *latency, peak),
                 on([sb], "inserts", count=200 // few)),
        Scenario("address-set", "one address of an Address_Set of many comes or goes, a client watches",
                 (Figure("cpu_us", cpu, 0.5), *latency, peak),
                 on([nb], "large-set", set="addresses", elements=300_000 // few, count=500 // few)),
        Scenario("port-group", "one port of a Port_Group of many comes or goes, a client watches",
                 (Figure("cpu_us", cpu, 0.5), *latency, peak),
                 on([nb], "large-set", set="ports", elements=50_000 // few, count=2_000 // few)),
        Scenario("durable", "durable transactions, 32 in flight",
                 (Figure("per_s", "per second", 5, at_least=True), Figure("cpu_us", cpu), *latency,
                  Figure("flushes", "disk flushes a transaction", most=0.1, least=1e-9)),
                 lambda machine, binary: durable(machine, binary, nb, 20_000 // few)),
    ]
    for clients in (100, 500):
        if quick and clients == 500:
            continue
        listed.append(Scenario(
            f"fan-out-{clients}", f"{clients} monitors of the whole Southbound, a delivery",
            (Figure("cpu_us", cpu, 0.60), Figure("last_receiver_p50_ms", "last receiver p50, ms", 0.60),
             Figure("last_receiver_p99_ms", "last receiver p99, ms"), Figure("per_s", "writes per second"), peak),
            on([sb], "fan-out", clients=clients, count=60_000 // clients // few)))
    for clients in (100, 500):
        if quick and clients == 500:
            continue
        listed.append(Scenario(
            f"conditions-{clients}", f"{clients} monitors with ovn-controller's conditions, a delivery",
            (Figure("cpu_us", cpu, 0.25), Figure("change_p50_ms", "monitor_cond_change p50, ms", 0.15),
             Figure("change_max_ms", "monitor_cond_change max, ms"),
             Figure("delivery_p50_ms", "delivery p50, ms"), Figure("writer_p99_ms", "writer p99, ms"), peak),
            on([sb], "conditions", clients=clients, seconds=4 if quick else 10)))
    for clients, target in ((1, 0.15), (10, 0.05), (30, None)):
        if quick and clients == 30:
            continue
        listed.append(Scenario(
            f"download-{clients}", f"{clients} clients download the Southbound at once, a writer at 200/s",
            (Figure("cpu_s", "CPU, s", target), Figure("wall_s", "until all have it, s"),
             Figure("writer_max_ms", "longest wait of the writer, ms", most=50),
             Figure("peak_mib", "peak memory, MiB", 0.5)),
            on([sb], "download", clients=clients)))
    listed += [
        Scenario("start", "start on the Southbound file",
                 (Figure("wall_s", "until it answers, s", 0.35), Figure("cpu_s", "CPU, s"),
                  Figure("row_bytes", "memory a row, bytes", 0.45)),
                 lambda machine, binary: start(machine, binary, sb)),
        Scenario("start-log", "start on a log of many transactions",
                 (Figure("wall_s", "until it answers, s", 0.35), Figure("cpu_s", "CPU, s"),
                  Figure("rss_mib", "memory, MiB", 0.45)),
                 lambda machine, binary: start_log(machine, binary, nb, 200_000 // few)),
        Scenario("compaction", "compaction under 200 transactions a second",
                 (Figure("cpu_s", "CPU, s", 0.35), Figure("wall_s", "time, s"),
                  Figure("writer_max_ms", "longest wait of the writer, ms", most=50),
                  Figure("peak_mib", "peak memory, MiB")),
                 lambda machine, binary: compaction(machine, binary, sb)),
        Scenario("first-sync", "a backup's first sync",
                 (Figure("wall_s", "time, s", 0.4), Figure("cpu_s", "CPU of both, s", 0.4)),
                 lambda machine, binary: pairs.first_sync(machine, binary, sb)),
        Scenario("reconnect", "a backup reconnects after 1 s and 20 transactions",
                 (Figure("bytes", "bytes sent", 0.002), Figure("written", "bytes written"),
                  Figure("wall_s", "time, s", 0.15), Figure("cpu_s", "CPU of both, s")),
                 lambda machine, binary: pairs.reconnect(machine, binary, sb)),
        Scenario("replication", "a backup behind 300 transactions a second, and at full speed",
                 (Figure("lag_p99_ms", "lag p99, ms", 0.2), Figure("lag_p50_ms", "lag p50, ms"),
                  Figure("replicated_per_s", "highest rate, per second", 2, at_least=True),
                  Figure("active_cpu_us", "CPU of the active, µs"), Figure("backup_cpu_us", "CPU of the backup, µs")),
                 lambda machine, binary: pairs.replication(machine, binary, sb, few)),
    ]
    for clients in (20, 200):
        if quick and clients == 200:
            continue
        file = sb if clients == 20 else "sb-small"  # 200 clients of the large one keep the stock server busy for ten minutes
        listed.append(Scenario(
            f"failover-{clients}", f"{clients} clients come over at a failover" + (", a small file" if file != sb else ""),
            (Figure("resumed_percent", "resumed, %", least=100), Figure("bytes", "bytes sent", 0.001),
             Figure("wall_s", "time, s", 0.05), Figure("cpu_s", "CPU, s"),
             Figure("promotion_ms", "promotion, ms, with the start of ovs-appctl")),
            lambda machine, binary, file=file, clients=clients: pairs.failover(machine, binary, file, clients // (4 if quick else 1))))
    for clients, target in ((1000, 0.05), (5000, 0.01)):
        if quick and clients == 5000:
            continue
        listed.append(Scenario(
            f"idle-{clients}", f"{clients} idle clients with probes, a request beside them",
            (Figure("request_p50_ms", "request p50, ms", target), Figure("request_p99_ms", "request p99, ms"),
             Figure("cpu_us", cpu), Figure("idle_core_percent", "idle: % of a core", most=6 if clients == 5000 else None),
             Figure("client_kib", "memory a client, KiB")),
            lambda machine, binary, clients=clients: idle(machine, binary, clients, 5 if quick else 12)))
    listed += [
        Scenario("relays", f"{100 if quick else 500} monitors of the whole Southbound at two relays, not at their source",
                 (Figure("share_percent", "CPU of the source, % of what they cost it directly", most=5),
                  Figure("source_cpu_us", "CPU of the source a write, µs"), Figure("relay_cpu_us", "CPU of the relays a delivery, µs"),
                  Figure("last_receiver_p50_ms", "last receiver p50, ms"), Figure("direct_p50_ms", "directly, ms"),
                  Figure("first_sync_s", "CPU of a relay's first sync, s")),
                 lambda machine, binary: relays.tree(machine, binary, sb, 100 if quick else 500, 2000 // few)),
    ]
    listed.append(Scenario(
        "forwarded", "transactions at a relay, or a backup, executed elsewhere, one at a time",
        tuple(Figure(f"{copy}_{key}", f"{copy}: {title}", most=2.2 if key == "latency_ratio" else None)
              for copy in ("relay", "backup") for key, title in relays.FORWARDING.items()),
        lambda machine, binary: relays.forwarding(machine, binary, nb, 20_000 // few)))
    listed += [
        Scenario("tls-mixed", "TLS: transactions, 4 connections × 8 in flight",
                 (Figure("cpu_us", cpu, 0.55), Figure("per_s", "per second"), *latency),
                 lambda machine, binary: tls(machine, binary, nb, "transactions", count=100_000 // few)),
        Scenario("tls-fan-out", "TLS: 100 monitors of the whole Southbound, a delivery",
                 (Figure("cpu_us", cpu, 0.55), Figure("last_receiver_p50_ms", "last receiver p50, ms")),
                 lambda machine, binary: tls(machine, binary, "sb-small", "fan-out", clients=100, count=600 // few)),
    ]
    return listed


def durable(machine, binary, nb, count):
    """Speed, and in a run of its own, under strace, the flushes."""
    server = machine.server(binary, [nb])
    figures = machine.load("transactions", server, count=count, durable=1)
    server.kill()
    trace = machine.path / "flushes"
    server = machine.server(binary, [nb], wrapper=[
        "strace", "-f", "-q", "--seccomp-bpf", "-e", "trace=fsync,fdatasync,sync_file_range,msync", "-o", trace])
    before = trace.read_text().count("sync(")
    traced = machine.load("transactions", server, count=count // 4, durable=1)
    flushes = len(re.findall(r"(?:fsync|fdatasync|msync|sync_file_range)\(", trace.read_text())) - before
    server.kill()
    return figures | {"flushes": flushes / traced["transactions"]}


def start(machine, binary, file):
    server = machine.server(binary, [file])
    try:
        rows = int(machine.load("contents", server)["digest"].rpartition("-")[2])
        # What loading took, before a client has asked for anything.
        fresh = machine.server(binary, [file])
        figures = {"wall_s": fresh.ready_s - fresh.started_s, "cpu_s": fresh.cpu_s(),
                   "row_bytes": fresh.memory() / rows}
        fresh.kill()
        return figures
    finally:
        server.kill()


def start_log(machine, binary, nb, transactions):
    if not machine.has("long-log"):
        maker = machine.server(machine.programs / "tandem-server", [nb])
        machine.load("transactions", maker, count=int(transactions / 1.1))
        maker.stop()
        machine.keep("long-log", maker.databases[0])
    server = machine.server(binary, ["long-log"])
    try:
        return {"wall_s": server.ready_s - server.started_s, "cpu_s": server.cpu_s(),
                "rss_mib": server.memory() / 2**20}
    finally:
        server.kill()


def compaction(machine, binary, sb):
    server = machine.server(binary, [sb])
    try:
        return machine.load("compaction", server, control=server.control) | {
            "peak_mib": server.memory("VmHWM") / 2**20}
    finally:
        server.kill()


# --- many clients, TLS ---

def idle(machine, binary, clients, seconds):
    server = machine.server(binary, ["sb-small"])
    try:
        before = server.memory()
        figures = machine.load("idle", server, clients=clients, seconds=seconds, count=300)
        return figures | {"client_kib": (figures["resident_bytes"] - before) / 1024 / clients}
    finally:
        server.kill()


def tls(machine, binary, file, scenario, **options):
    keys = machine.certificates()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = machine.server(binary, [file], f"--remote=pssl:{port}:127.0.0.1",
                            *(f"--{name}={path}" for name, path in keys.items()))
    try:
        return machine.load(scenario, server, address=f"ssl:127.0.0.1:{port}", **options, **keys)
    finally:
        server.kill()
