"""How costs grow: with rows, clients, conditions and history. Each must grow with what changes, not with what exists."""

import dataclasses
import time
import typing


@dataclasses.dataclass(frozen=True)
class Series:
    """One plot: figures over a quantity. `run` returns them for one server and one value."""

    name: str
    title: str
    quantity: str
    values: tuple
    stock_most: int  # the stock server is measured up to this value: beyond, it takes too long
    figures: dict    # key: what the axis says
    run: typing.Callable


def all_series(quick):
    few = 5 if quick else 1
    rows = (10_000, 30_000) if quick else (10_000, 30_000, 100_000, 300_000, 1_000_000)
    clients = (1, 10, 100) if quick else (1, 10, 100, 500, 1000, 2000)
    datapaths = (1, 4, 16) if quick else (1, 4, 16, 64, 128)
    return [
        Series("rows", "cost over rows", "rows in the Southbound database", rows, 100_000,
               {"cpu_us": "CPU of a transaction, µs", "row_bytes": "memory a row, bytes",
                "start_s": "start, s", "change_p50_ms": "change of conditions, ms"},
               lambda machine, binary, n: over_rows(machine, binary, n, few)),
        Series("clients", "cost over clients that monitor everything", "clients", clients, 500,
               {"cpu_us": "CPU of a delivery, µs", "last_receiver_p50_ms": "last receiver, ms"},
               lambda machine, binary, n: over_clients(machine, binary, n, few)),
        Series("conditions", "cost over conditions, 100 clients", "datapaths a client asks for", datapaths, 128,
               {"cpu_us": "CPU of a delivery, µs", "change_p50_ms": "change of conditions, ms"},
               lambda machine, binary, n: over_conditions(machine, binary, n, few)),
        Series("history", "cost over transactions made before", "transactions",
               tuple(n // few for n in (50_000, 100_000, 200_000, 400_000)), 200_000,
               {"cpu_us": "CPU of a transaction, µs", "rss_mib": "memory, MiB"},
               lambda machine, binary, n: over_history(machine, binary, n)),
        Series("storm", "memory before, in and 10 s after a storm of downloads", "clients at once", (1, 10, 30), 1,
               {"before_mib": "before, MiB", "peak_mib": "peak, MiB", "after_mib": "after, MiB"},
               lambda machine, binary, n: storm(machine, binary, n)),
    ]


def over_rows(machine, binary, rows, few):
    server = machine.server(binary, [f"sb-{rows}"])
    try:
        start_s = server.ready_s - server.started_s
        row_bytes = server.memory() / rows
        figures = machine.load("fan-out", server, clients=1, count=5000 // few)
        changes = machine.load("conditions", server, clients=20, seconds=5 // min(few, 2), rate=50)
        return {"cpu_us": figures["cpu_us"], "row_bytes": row_bytes, "start_s": start_s,
                "change_p50_ms": changes["change_p50_ms"]}
    finally:
        server.kill()


def over_clients(machine, binary, clients, few):
    server = machine.server(binary, ["sb-small"])
    try:
        return machine.load("fan-out", server, clients=clients, count=max(60_000 // clients // few, 20))
    finally:
        server.kill()


def over_conditions(machine, binary, datapaths, few):
    server = machine.server(binary, ["sb-medium" if few > 1 else "sb-large"])
    try:
        return machine.load("conditions", server, clients=100, datapaths=datapaths, seconds=10 // min(few, 3))
    finally:
        server.kill()


def over_history(machine, binary, transactions):
    server = machine.server(binary, ["nb-medium"])
    try:
        machine.load("transactions", server, count=transactions)
        figures = machine.load("transactions", server, count=20_000)
        return {"cpu_us": figures["cpu_us"], "rss_mib": server.memory() / 2**20}
    finally:
        server.kill()


def storm(machine, binary, clients):
    server = machine.server(binary, ["sb-large"])
    try:
        before = server.memory()
        machine.load("download", server, clients=clients)
        peak = server.memory("VmHWM")
        time.sleep(10)
        return {"before_mib": before / 2**20, "peak_mib": peak / 2**20, "after_mib": server.memory() / 2**20}
    finally:
        server.kill()
