"""OVN's own clients of the cluster, each on a machine of its own: a chassis with ovn-controller, and an ovn-northd that
outlives failovers. What they download is what their interface received."""
import json
import os

from cluster import wait_for
from node import Node

KEYS = ["/etc/ovn/key.pem", "/etc/ovn/cert.pem", "/etc/ovn/ca.pem"]
OVS_SOCKET = "unix:/run/openvswitch/db.sock"


class Outsider:
    def __init__(self, bench, name, number):
        self.node = Node(bench.fabric, name, number, bench.folder)
        self.node.boot()
        self.proto = bench.options.proto
        if self.proto == "ssl":
            bench.give_keys(self.node)

    def received_bytes(self):
        link = json.loads(self.node.run("ip", "-s", "-j", "link", "show", "eth0"))
        return link[0]["stats64"]["rx"]["bytes"]

    def close(self):
        self.node.close()


class Northd(Outsider):
    def __init__(self, bench, number=21):
        super().__init__(bench, "north", number)
        keys = ["-p", KEYS[0], "-c", KEYS[1], "-C", KEYS[2]] if self.proto == "ssl" else []
        self.node.run("ovn-northd", "--detach", "--no-chdir", "--pidfile=/run/ovn/ovn-northd.pid", "--log-file", *keys,
                      f"--ovnnb-db={self.proto}:{bench.vip}:6641", f"--ovnsb-db={self.proto}:{bench.vip}:6642")


class Chassis(Outsider):
    """ovs-vswitchd with the dummy datapath, and ovn-controller, which monitors everything."""

    def __init__(self, bench, number=22):
        super().__init__(bench, "hv", number)
        run = self.node.run
        run("ovsdb-tool", "create", "/etc/openvswitch/conf.db", "/usr/share/openvswitch/vswitch.ovsschema")
        run("ovsdb-server", "--detach", "--no-chdir", "--pidfile", "--log-file", "--remote=p" + OVS_SOCKET,
            "/etc/openvswitch/conf.db")
        run("ovs-vsctl", "--no-wait", "--", "init", "--", "set", "Open_vSwitch", ".", "external_ids:system-id=hv",
            f"external_ids:ovn-remote={self.proto}:{bench.vip}:6642", "external_ids:ovn-encap-type=geneve",
            f"external_ids:ovn-encap-ip={self.node.address}", "external_ids:ovn-monitor-all=true")
        if self.proto == "ssl":
            run("ovs-vsctl", "--no-wait", "set-ssl", *KEYS)
        run("ovs-vswitchd", "--detach", "--no-chdir", "--pidfile", "--log-file", "--enable-dummy=override",
            "--disable-system", OVS_SOCKET)
        run("ovs-vsctl", "add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=dummy",
            "fail-mode=secure", "--", "add-port", "br-int", "vif", "--", "set", "interface", "vif", "type=internal",
            "external_ids:iface-id=port0")
        run("ovn-controller", "--detach", "--no-chdir", "--pidfile", "--log-file", OVS_SOCKET)

    def flows(self):
        return int(self.node.run("ovs-ofctl", "dump-aggregate", "br-int").split("flow_count=")[1].split()[0])

    def watch_flows(self):
        """From now on writes the number of flows down ten times a second."""
        self._watch = os.path.join("/var/log", "flows")
        self.node.daemon("sh", "-c", "while :; do ovs-ofctl dump-aggregate br-int | sed 's/.*flow_count=//' >>"
                         f" {self._watch}; sleep 0.1; done")

    def fewest_flows(self):
        with open(self.node.path(self._watch)) as file:
            return min(int(line) for line in file if line.strip().isdigit())

    def is_connected(self):
        done = self.node.run("ovn-appctl", "-t", "ovn-controller", "connection-status", check=False)
        return done.stdout.strip() == "connected"


def follows(node):
    return all("replicating: " in node.run("ovs-appctl", "-t", f"/run/ovn/ovn{which}_db.ctl", "ovsdb-server/sync-status")
               for which in ("nb", "sb"))


def fill(bench, ports):
    """One logical switch with so many ports, and the flows that ovn-northd makes of them. Waits for these."""
    words = ["--", "ls-add", "sw"]
    for number in range(ports):
        name, address = f"port{number}", f"02:01:00:00:{number >> 8:02x}:{number & 255:02x} 10.1.{number >> 8}.{number & 255}"
        words += ["--", "lsp-add", "sw", name, "--", "lsp-set-addresses", name, address]
    bench.active().run("sh", "-c", 'exec xargs -0 ovn-nbctl --timeout=60', input_text="\0".join(words), timeout_s=90)
    wait_for("northd", lambda: bench.active().run("ovn-sbctl", "--timeout=20", "--columns=_uuid", "find", "Port_Binding",
                                                  f"logical_port=port{ports - 1}").strip(), 60)


def ten_failovers(bench, ports=2000, times=10):
    """The role moves round; ovn-controller and ovn-northd find it again, keep what they have, and download little."""
    northd, chassis = Northd(bench), Chassis(bench)
    try:
        fill(bench, ports)
        wait_for("ovn-controller to have the flows", lambda: chassis.is_connected() and chassis.flows() > ports, 60)
        full = {outsider.node.name: outsider.received_bytes() for outsider in (northd, chassis)}
        size = {which: os.path.getsize(bench.active().path(f"/var/lib/ovn/ovn{which}_db.db")) for which in ("nb", "sb")}
        flows = chassis.flows()
        chassis.watch_flows()
        shares = []
        for _ in range(times):
            before = {outsider: outsider.received_bytes() for outsider in (northd, chassis)}
            target = bench.cluster.other_nodes(bench.active().name)[0]
            wait_for(f"{target.name} to follow", lambda: follows(target), 30)
            bench.cluster.move(target)
            bench.cluster.wait_promoted(among=[target.name], vip=bench.options.mode == "ip")
            bench.cluster.wait_settled(60)
            bench.cluster.clear_move()
            wait_for("ovn-controller to reconnect", chassis.is_connected, 30)
            wait_for("ovn-northd to be active", lambda: "active" in northd.node.run(
                "ovn-appctl", "-t", "ovn-northd", "status", check=False).stdout, 30)
            shares.append({outsider.node.name: outsider.received_bytes() - before[outsider] for outsider in before})
        most = {name: max(share[name] for share in shares) for name in shares[0]}
        bench.notes.append(f"nb {size['nb']} and sb {size['sb']} bytes; received at first {full}, at most after one of "
                           f"{times} failovers {most}; flows {flows}, fewest {chassis.fewest_flows()}")
        if chassis.fewest_flows() < flows:
            raise AssertionError(f"flows went from {flows} to {chassis.fewest_flows()}")
        # Every connection asks for the schema first; that is no part of the database.
        for name, bytes_received in most.items():
            if bytes_received > (size["nb"] + size["sb"]) / 100 + SCHEMAS_BYTES:
                raise AssertionError(f"{name} received {bytes_received} bytes after a failover")
    finally:
        chassis.close()
        northd.close()
    return lambda: None


SCHEMAS_BYTES = 100_000
