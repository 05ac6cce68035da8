"""Scenarios of relays, and of backups that forward: what is taken off the server behind them, and what it costs."""

import json
import socket
import time

from .machine import finish_load
from .pairs import await_mark, empty_like


def relay(machine, binary, source, db):
    return machine.server(binary, [f"relay:{db}:{source.address}"])


def await_switches(server):
    """Until a copy of a Northbound database has its rows."""
    ask = json.dumps({"id": 0, "method": "transact", "params": [
        "OVN_Northbound", {"op": "select", "table": "Logical_Switch", "where": [], "columns": ["name"]}]}).encode()
    for _ in range(1000):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(server.address.removeprefix("unix:"))
            client.sendall(ask)
            if b'"name"' in client.recv(4096):
                return
        time.sleep(0.05)
    raise RuntimeError("the copy gets no rows")


def tree(machine, binary, sb, clients, count):
    """The same monitors on a server itself, and on two relays before it."""
    alone = machine.server(binary, [sb])
    direct = machine.load("fan-out", alone, clients=clients, count=count)
    alone.kill()
    source = machine.server(binary, [sb])
    machine.load("mark", source, first=0)
    relays = [relay(machine, binary, source, "OVN_Southbound") for _ in range(2)]
    for server in relays:
        finish_load(await_mark(machine, server, 0))
    first_sync_s = sum(server.cpu_s() for server in relays) / len(relays)
    before = sum(server.cpu_s() for server in relays)
    figures = machine.load("fan-out", source, clients=clients, count=count,
                           receivers=",".join(server.address for server in relays))
    relays_s = sum(server.cpu_s() for server in relays) - before
    for server in (*relays, source):
        server.kill()
    return {"share_percent": 100 * figures["cpu_us"] / direct["cpu_us"], "source_cpu_us": figures["cpu_us"] * clients,
            "relay_cpu_us": relays_s * 1e6 / (clients * (count + count // 10 + 1)), "first_sync_s": first_sync_s,
            "last_receiver_p50_ms": figures["last_receiver_p50_ms"], "direct_p50_ms": direct["last_receiver_p50_ms"]}


FORWARDING = {"latency_ratio": "latency p50, times that at the server that executes", "latency_p50_ms": "latency p50, ms",
              "latency_p99_ms": "latency p99, ms", "cpu_us": "its own CPU, µs", "source_cpu_us": "CPU where it is executed, µs"}


def forwarding(machine, binary, nb, count):
    """Transactions one at a time at the server that executes them, and at copies that forward them."""
    source = machine.server(binary, [nb])
    one_by_one = {"count": count, "connections": 1, "in_flight": 1}
    direct = machine.load("transactions", source, **one_by_one)
    result = {}
    for copy in ("relay", "backup"):
        if copy == "relay":
            server = relay(machine, binary, source, "OVN_Northbound")
        elif machine.is_tandem(binary):
            server = machine.server(binary, [empty_like(machine, nb)], f"--sync-from={source.address}", "--forward-writes")
        else:
            continue  # the stock server's backups refuse what writes
        await_switches(server)
        time.sleep(0.5)  # a backup has its rows just before it says that it follows
        before = source.cpu_s()
        figures = machine.load("transactions", server, **one_by_one)
        figures["latency_ratio"] = figures["latency_p50_ms"] / direct["latency_p50_ms"]
        figures["source_cpu_us"] = (source.cpu_s() - before) * 1e6 / figures["transactions"]
        result |= {f"{copy}_{key}": figures[key] for key in FORWARDING}
        server.kill()
    source.kill()
    return result
