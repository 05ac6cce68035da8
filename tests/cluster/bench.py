"""A cluster with its surroundings (addresses, load balancer, keys, writers), and how one scenario runs on it."""
import glob
import json
import os
import time
from dataclasses import dataclass, field

import checks
from client import insert_of
from cluster import Cluster, MONITOR_TIMEOUT_S, wait_for
from node import Fabric, Node, VIP, VIP6, run
from writable import WritableWatch
from writer import DATABASES, Writer

AGENT = "/usr/lib/ocf/resource.d/ovn/ovndb-servers"
NODE_NAMES = ["ctl1", "ctl10", "ctl2"]  # one name begins with another: agents have confused those
HAPROXY_CFG = """\
defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
    retries 0
"""
HAPROXY_SERVICE = """\
listen {name}
    bind {vip}:{port}
    default-server inter 100ms fastinter 50ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""


@dataclass
class Outcome:
    scenario: str
    outage_s: dict = field(default_factory=dict)
    acknowledged: dict = field(default_factory=dict)
    lost: dict = field(default_factory=dict)
    lost_untraced: dict = field(default_factory=dict)
    moved: bool = False
    two_writable_s: dict = field(default_factory=dict)  # how long two servers took writes at a time, at most
    failures: list = field(default_factory=list)  # failed actions that crm_mon shows
    notes: list = field(default_factory=list)  # what the scenario itself measured
    wrong: list = field(default_factory=list)  # why the scenario failed
    seconds: float = 0


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.vip = VIP6 if options.ipv6 else VIP
        self.fabric = Fabric()
        self.cluster = None
        self.writers = []
        self.watch = None
        self.notes = []
        self._at_close = []
        self._disks = []
        self._haproxy = None

    # --- life ---

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        self.fabric.boot()
        install = {self.options.agent: AGENT}
        programs = self.options.ovs_dir and os.path.dirname(self.options.ovs_dir)
        nodes = [Node(self.fabric, name, number, self.folder, install, programs,
                      f"host{number}.example" if self.options.host_names else None)
                 for number, name in enumerate(NODE_NAMES[:self.options.nodes], 1)]
        self.cluster = Cluster(nodes, self.options.token_ms)
        if self.options.proto == "ssl":
            self._make_keys(nodes)
        for node in nodes:
            if self.options.own_disks:
                self._give_disk(node)
            node.boot()
        self.cluster.start()
        if self.options.mode == "lb":
            self._start_haproxy()
        configure = self.cluster.configure_with_pcs if self.options.pcs else self.cluster.configure
        delay = self.options.start_delay_s
        times = [self.options.monitor_s, self.options.promoted_monitor_s] + ([2 * delay] if delay else [])
        configure(self._parameters(), self.vip if self.options.mode == "ip" else None, *times)
        self.cluster.wait_settled(60 + 2 * delay, vip=self.options.mode == "ip")
        self._fill(self.options.rows)

    def _fill(self, rows, batch=500):
        node = self.active()
        for which, (database, _) in DATABASES.items():
            for first in range(0, rows, batch):
                inserts = [insert_of(database, "row", number)[1] for number in range(first, first + batch)]
                node.run("sh", "-c", 'exec ovsdb-client transact "$0" "$(cat)"', f"unix:/run/ovn/ovn{which}_db.sock",
                         input_text=json.dumps([database] + inserts))

    def close(self):
        self.stop_writers()
        if self._haproxy:
            self._haproxy.kill()
            self._haproxy.wait()
        for action in self._at_close:
            action()
        for node in self.cluster.nodes if self.cluster else []:
            node.close()
        self.fabric.close()
        for disk in self._disks:
            run(["umount", "--lazy", disk], check=False)

    def on_close(self, action):
        """What has to be undone whatever comes, before the nodes go."""
        self._at_close.append(action)

    def _give_disk(self, node, size="64M"):
        disk = node.path("/var/lib/ovn")
        os.makedirs(disk, exist_ok=True)
        run(["truncate", "-s", size, node.folder + ".disk"])
        run(["mkfs.ext4", "-q", "-F", node.folder + ".disk"])
        run(["mount", "-o", "loop", node.folder + ".disk", disk])
        self._disks.append(disk)

    def _parameters(self):
        parameters = {"master_ip": self.vip, "manage_northd": "yes" if self.options.northd else "no"}
        if self.options.mode == "lb":
            parameters["listen_on_master_ip_only"] = "no"
        for which in ("nb", "sb"):
            if self.options.proto == "ssl":
                parameters[f"{which}_master_protocol"] = "ssl"
                parameters[f"ovn_{which}_db_privkey"] = "/etc/ovn/key.pem"
                parameters[f"ovn_{which}_db_cert"] = "/etc/ovn/cert.pem"
                parameters[f"ovn_{which}_db_cacert"] = "/etc/ovn/ca.pem"
        if self.options.start_delay_s:
            parameters["ovn_ctl"] = self._slow_ovn_ctl()
        for parameter in self.options.parameter:
            name, value = parameter.split("=", 1)
            parameters[name] = value
        return parameters

    def _slow_ovn_ctl(self):
        """A program on all nodes that starts servers as ovn-ctl does, but later."""
        path = "/usr/lib/ocf/resource.d/ovn/slow-ovn-ctl"
        for node in self.cluster.nodes:
            with open(node.path(path), "w") as file:
                file.write("#!/bin/sh\ncase \"$*\" in *start_*_ovsdb*) sleep "
                           f"{self.options.start_delay_s // 2};; esac\nexec /usr/share/ovn/scripts/ovn-ctl \"$@\"\n")
            os.chmod(node.path(path), 0o755)
        return path

    def _make_keys(self, nodes):
        tls = self.tls_folder = os.path.join(self.folder, "tls")
        os.makedirs(tls, exist_ok=True)
        new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9"]
        run(new + ["-subj", "/CN=bench CA", "-keyout", f"{tls}/ca-key.pem", "-out", f"{tls}/ca.pem"])
        run(new + ["-subj", "/CN=bench", "-keyout", f"{tls}/key.pem", "-out", f"{tls}/cert.pem",
                   "-CA", f"{tls}/ca.pem", "-CAkey", f"{tls}/ca-key.pem"])
        for node in nodes:
            self.give_keys(node)

    def give_keys(self, node):
        os.makedirs(node.path("/etc/ovn"), exist_ok=True)
        for name in ("ca.pem", "key.pem", "cert.pem"):
            run(["cp", f"{self.tls_folder}/{name}", node.path("/etc/ovn/" + name)])

    def _start_haproxy(self):
        self.fabric.run("ip", "address", "add", self.vip, "dev", "br0", *(["nodad"] if self.options.ipv6 else []))
        text = HAPROXY_CFG
        for name, port in (("nb", 6641), ("sb", 6642)):
            servers = "\n".join(f"    server {node.name} {node.address6 if self.options.ipv6 else node.address}:{port} check"
                                for node in self.cluster.nodes)
            text += HAPROXY_SERVICE.format(name=name, vip=self.vip, port=port, servers=servers)
        path = os.path.join(self.folder, "haproxy.cfg")
        with open(path, "w") as file:
            file.write(text)
        with open(os.path.join(self.folder, "haproxy.log"), "w") as log:
            self._haproxy = self.fabric.spawn("haproxy", "-db", "-f", path, stdout=log, stderr=log)

    # --- what scenarios use ---

    def active(self):
        return self.cluster.node(self.cluster.status().promoted[0])

    def lease_s(self):
        """For so long an active may write without word from the cluster."""
        return self.options.promoted_monitor_s + MONITOR_TIMEOUT_S + 5

    def names_but(self, node):
        return [other.name for other in self.cluster.other_nodes(node.name)]

    def start_writers(self, scenario):
        tls = self.tls_folder if self.options.proto == "ssl" else None
        stamp = f"{time.monotonic():.0f}"
        rate = self.options.rate if scenario.rate is None else scenario.rate
        for which in self.options.writers:
            self.writers.append(Writer(self.fabric, self.folder, self.vip, which, rate, tls, f"{which}{stamp}"))
        if scenario.inside_writer:
            self.writers.append(Writer(self.active(), self.folder, self.vip, "nb", rate, tls, f"in{stamp}"))
        wait_for("writers to write", lambda: all(writer.acknowledged() for writer in self.writers), 20)

    def stop_writers(self):
        for writer in self.writers:
            writer.stop()

    def run_scenario(self, name, scenario):
        """Breaks, waits, repairs, checks. Whatever does not hold is in the outcome's `wrong`."""
        outcome = Outcome(name)
        began = time.monotonic()
        try:
            self._run(scenario, outcome)
        except Exception as error:  # the bench goes on with the next scenario
            outcome.wrong.append(f"{type(error).__name__}: {error}")
        finally:
            self.stop_writers()
            self.writers = []
            if self.watch:
                self.watch.stop()
                self.watch = None
        outcome.notes, self.notes = self.notes, []
        outcome.seconds = time.monotonic() - began
        return outcome

    def _run(self, scenario, outcome):
        checks.copies_equal(self.cluster, checks.one_active(self.cluster))
        self.start_writers(scenario)
        time.sleep(2)
        before = self.active()
        self.watch = WritableWatch(self.cluster.nodes)
        broke_at = time.monotonic()
        repair = scenario.fault(self)
        blocking = any("--sync-fallback=block" in parameter for parameter in self.options.parameter)
        if scenario.resumes and not (scenario.alone and blocking):
            outside = [writer for writer in self.writers if not writer.label.startswith("in")]
            # A fault may take its time to be felt: let the writers go on for a while after the first success.
            wait_for("writers to go on", lambda: all(self._went_on(writer, broke_at) for writer in outside), 150)
        repair()
        time.sleep(2 + self.options.start_delay_s)  # by then Pacemaker has seen what does not run
        self.cluster.wait_settled(90, vip=self.options.mode == "ip")
        time.sleep(1)
        self.stop_writers()
        self.watch.stop()
        outcome.two_writable_s = self.watch.longest_s
        if max(outcome.two_writable_s.values()) > self.lease_s():
            outcome.wrong.append(f"two servers took writes for longer than a lease: {outcome.two_writable_s}")
        promoted = checks.one_active(self.cluster)
        contents = checks.copies_equal(self.cluster, promoted)
        outcome.moved = promoted.name != before.name
        outcome.failures = self.cluster.status().failures
        if scenario.same_active and outcome.moved:
            outcome.wrong.append(f"the role moved from {before.name} to {promoted.name}")
        diverged = self._diverged_text()
        for writer in self.writers:
            lost = checks.lost(writer, contents)
            outcome.acknowledged[writer.label] = len(writer.acknowledged())
            outcome.lost[writer.label] = len(lost)
            outcome.lost_untraced[writer.label] = sum(mark + '"' not in diverged for mark in lost)
            if scenario.resumes:
                outcome.outage_s[writer.label] = writer.longest_gap_s(broke_at)
                if scenario.unfelt and outcome.outage_s[writer.label] > 1:
                    outcome.wrong.append(f"{writer.label} had to wait {outcome.outage_s[writer.label]:.1f} s")
        if any(outcome.lost.values()) and (scenario.graceful or self.options.lossless):
            outcome.wrong.append(f"acknowledged transactions were lost: {outcome.lost}")
        if any(outcome.lost_untraced.values()) and self.options.traced:
            outcome.wrong.append(f"lost transactions are in no divergence file: {outcome.lost_untraced}")
        self.cluster.cleanup()
        for node in self.cluster.nodes:  # the agent counts repairs over minutes, and scenarios follow each other closely
            node.run("sh", "-c", r"""sed -i 's/\("repaired_..":\)\[[^]]*\]/\1[]/g' /run/resource-agents/ovndb-*.state""",
                     check=False)

    def _went_on(self, writer, broke_at):
        """The writer has worked for two seconds without a break, and has felt the fault or had 20 s to feel it."""
        times = [when for _, when in writer.acknowledged() if when >= broke_at]
        now = time.monotonic()
        recent = [when for when in times if when > now - 2]
        if len(recent) < 20 or now - recent[-1] > 0.5 or max(b - a for a, b in zip(recent, recent[1:])) > 0.5:
            return False
        return writer.longest_gap_s(broke_at) > 0.2 or now - broke_at > 20

    def _diverged_text(self):
        text = ""
        for node in self.cluster.nodes:
            for path in glob.glob(node.path("/var/lib/ovn/*diverged*")):
                with open(path, errors="replace") as file:
                    text += file.read()
        return text
