"""A Pacemaker cluster of bench nodes: corosync and pacemaker without systemd, configured through the CIB."""
import os
import shutil
import signal
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

from node import CommandFailed

RESOURCE = "ovndb_servers"
CLONE = RESOURCE + "-master"
VIP_RESOURCE = "VirtualIP"
MONITOR_TIMEOUT_S = 20

COROSYNC_CONF = """\
totem {{
    version: 2
    cluster_name: bench
    transport: knet
    token: {token_ms}
    crypto_cipher: none
    crypto_hash: none
}}
nodelist {{
{nodes}}}
quorum {{
    provider: corosync_votequorum
{two_node}}}
logging {{
    to_syslog: no
    to_logfile: yes
    logfile: /var/log/corosync/corosync.log
    timestamp: on
}}
system {{
    sched_rr: no
    move_to_root_cgroup: no
}}
"""

# dc-deadtime has to be there before the first start; the rest could come later. All nodes share this machine's load, and
# above the threshold Pacemaker would start only one action at a time.
SEED_CIB = """\
<cib crm_feature_set="3.0.0" validate-with="pacemaker-3.0" epoch="1" num_updates="0" admin_epoch="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="opt-dc-deadtime" name="dc-deadtime" value="3s"/>
        <nvpair id="opt-stonith" name="stonith-enabled" value="false"/>
        <nvpair id="opt-load" name="load-threshold" value="1000%"/>
      </cluster_property_set>
    </crm_config>
    <nodes/><resources/><constraints/>
  </configuration>
  <status/>
</cib>
"""


class Timeout(Exception):
    pass


def wait_for(what, condition, timeout_s, every_s=0.2):
    """Polls `condition` until it is true and returns its value; raises Timeout, which names `what`."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout(f"waited {timeout_s} s for {what}")
        time.sleep(every_s)


@dataclass
class Status:
    """What crm_mon shows on one node."""
    online: set = field(default_factory=set)
    promoted: list = field(default_factory=list)
    unpromoted: list = field(default_factory=list)
    vip: list = field(default_factory=list)
    failures: list = field(default_factory=list)
    quorum: bool = False


def nvpairs(kind, identity, values):
    pairs = "".join(f'<nvpair id="{identity}-{name}" name="{name}" value="{value}"/>' for name, value in values.items())
    return f'<{kind} id="{identity}">{pairs}</{kind}>'


def resources_xml(parameters, vip, monitor_s, promoted_monitor_s, start_timeout_s=30):
    """What the guide's pcs commands make: the promotable clone, and the VIP unless `vip` is None."""
    operations = "".join(
        f'<op id="{RESOURCE}-{name}-{role}" name="{name}" interval="{interval}s" timeout="{timeout}s"'
        + (f' role="{role}"' if role else "") + "/>"
        for name, role, interval, timeout in (
            ("start", "", 0, start_timeout_s), ("stop", "", 0, 20), ("promote", "", 0, 50), ("demote", "", 0, 50),
            ("notify", "", 0, 20), ("monitor", "", monitor_s, MONITOR_TIMEOUT_S),
            ("monitor", "Promoted", promoted_monitor_s, MONITOR_TIMEOUT_S)))
    xml = (f'<resources><clone id="{CLONE}">'
           + nvpairs("meta_attributes", CLONE + "-meta", {"promotable": "true", "notify": "true"})
           + f'<primitive id="{RESOURCE}" class="ocf" provider="ovn" type="ovndb-servers">'
           + nvpairs("instance_attributes", RESOURCE + "-attributes", parameters)
           + f"<operations>{operations}</operations></primitive></clone>")
    if vip:
        xml += (f'<primitive id="{VIP_RESOURCE}" class="ocf" provider="heartbeat" type="IPaddr2">'
                + nvpairs("instance_attributes", VIP_RESOURCE + "-attributes",
                          {"ip": vip, **dict(word.split("=") for word in dad_words(vip))})
                + f'<operations><op id="{VIP_RESOURCE}-monitor" name="monitor" interval="30s"/></operations></primitive>')
    return xml + "</resources>"


def pcs_commands(parameters, vip, monitor_s, promoted_monitor_s):
    """The commands of OVN's guide. `resource master` is the name that older pcs has for `resource promotable`."""
    words = [f"{name}={value}" for name, value in parameters.items()]
    yield (["resource", "create", RESOURCE, "ocf:ovn:ovndb-servers"] + words
           + ["op", "monitor", f"interval={monitor_s}s",
              "op", "monitor", "role=Promoted", f"interval={promoted_monitor_s}s"])
    yield ["resource", "promotable", RESOURCE, CLONE, "meta", "notify=true"]
    if vip:
        yield (["resource", "create", VIP_RESOURCE, "ocf:heartbeat:IPaddr2", f"ip={vip}"] + dad_words(vip)
               + ["op", "monitor", "interval=30s"])
        yield ["constraint", "order", "promote", CLONE, "then", VIP_RESOURCE]
        yield ["constraint", "colocation", "add", VIP_RESOURCE, "with", "Promoted", CLONE, "score=INFINITY"]


def dad_words(vip):
    """Duplicate address detection would keep an IPv6 address from its clients for a second or two."""
    return ["nodad=true"] if ":" in vip else []


def constraints_xml():
    return (f'<constraints><rsc_order id="order-vip" first="{CLONE}" first-action="promote" then="{VIP_RESOURCE}"'
            f' then-action="start"/><rsc_colocation id="colocate-vip" rsc="{VIP_RESOURCE}" with-rsc="{CLONE}"'
            ' with-rsc-role="Promoted" score="INFINITY"/></constraints>')


class Cluster:
    def __init__(self, nodes, token_ms=3000):
        self.nodes = nodes
        self.token_ms = token_ms

    def node(self, name):
        return next(node for node in self.nodes if node.name == name)

    def other_nodes(self, *names):
        return [node for node in self.nodes if node.name not in names]

    def seed(self):
        """Writes corosync.conf and the first CIB into the folders of nodes that have booted."""
        entries = "".join(f"    node {{\n        ring0_addr: {node.address}\n        name: {node.name}\n"
                          f"        nodeid: {node.number}\n    }}\n" for node in self.nodes)
        two_node = "    two_node: 1\n" if len(self.nodes) == 2 else ""
        for node in self.nodes:
            with open(node.path("/etc/corosync/corosync.conf"), "w") as conf:
                conf.write(COROSYNC_CONF.format(token_ms=self.token_ms, nodes=entries, two_node=two_node))
            cib = node.path("/var/lib/pacemaker/cib/cib.xml")
            with open(cib, "w") as file:
                file.write(SEED_CIB)
            os.chmod(cib, 0o600)
            shutil.chown(cib, "hacluster", "haclient")

    def start_node(self, node):
        """Starts corosync and pacemaker of a node that has booted."""
        node.run("corosync")
        node.daemon("pacemakerd", "-f")

    def start(self):
        self.seed()
        for node in self.nodes:
            self.start_node(node)
        self.wait_online()
        self.a_node().run("cibadmin", "--upgrade", "--force")

    def wait_online(self):
        wait_for("all nodes to be online", lambda: self.status().online == {node.name for node in self.nodes}, 60)

    def configure(self, parameters, vip, *times):
        node = self.a_node()
        node.run("cibadmin", "--replace", "-o", "resources", "--xml-pipe",
                 input_text=resources_xml(parameters, vip, *times))
        if vip:
            node.run("cibadmin", "--replace", "-o", "constraints", "--xml-pipe", input_text=constraints_xml())

    def configure_with_pcs(self, *what):
        """The same by pcs, on a copy of the CIB, since pcs's daemon is not here."""
        node = self.a_node()
        node.run("sh", "-c", "cibadmin --query > /tmp/cib.xml")
        for command in pcs_commands(*what):
            node.run("pcs", "-f", "/tmp/cib.xml", *command)
        node.run("cibadmin", "--replace", "--xml-file", "/tmp/cib.xml")

    def stop_pacemaker(self):
        """Ends it on all nodes in good order; what is not managed goes on."""
        pids = [pid for node in self.nodes for pid in node.pids_of("pacemakerd")]
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        wait_for("pacemaker to end", lambda: not any(node.pids_of("pacemaker-controld") for node in self.nodes), 30)

    def start_pacemaker(self):
        for node in self.nodes:
            node.daemon("pacemakerd", "-f")
        self.wait_online()

    def set_maintenance(self, on):
        self.a_node().run("crm_attribute", "--type", "crm_config", "-n", "maintenance-mode", "-v", "true" if on else "false")

    def a_node(self):
        return next(node for node in self.nodes if node.up)

    def status(self, node=None):
        """The cluster as `node` (or the first that is up) sees it; an empty Status while its pacemaker is away."""
        done = (node or self.a_node()).run("crm_mon", "-1", "--output-as=xml", check=False)
        status = Status()
        if done.returncode != 0:
            return status
        root = ElementTree.fromstring(done.stdout)
        dc = root.find("summary/current_dc")
        status.quorum = dc is not None and dc.get("with_quorum") == "true"
        for entry in root.iterfind("nodes/node"):
            if entry.get("online") == "true" and entry.get("pending") != "true":
                status.online.add(entry.get("name"))
        for resource in root.iterfind("resources//resource"):
            names = [entry.get("name") for entry in resource.iterfind("node")]
            if resource.get("id") == VIP_RESOURCE:
                status.vip += names
            elif resource.get("role") in ("Promoted", "Master"):
                status.promoted += names
            elif resource.get("role") in ("Unpromoted", "Slave"):
                status.unpromoted += names
        status.failures = [dict(entry.attrib) for entry in root.iterfind("failures/failure")]
        return status

    def wait_promoted(self, timeout_s=60, among=None, node=None, vip=False):
        """Waits until exactly one node (one of `among`) is promoted, and has the VIP if `vip`; returns it."""
        def condition():
            status = self.status(node)
            if len(status.promoted) != 1 or (among and status.promoted[0] not in among):
                return None
            if vip and status.vip != status.promoted:
                return None
            return self.node(status.promoted[0])

        return wait_for("one promoted node" + (f" of {among}" if among else ""), condition, timeout_s)

    def wait_settled(self, timeout_s=60, vip=False):
        """Waits until every node that is up runs the resource and one is promoted; returns the promoted one."""
        names = {node.name for node in self.nodes if node.up}

        def condition():
            status = self.status()
            if len(status.promoted) != 1 or set(status.promoted + status.unpromoted) != names:
                return None
            if vip and status.vip != status.promoted:
                return None
            return self.node(status.promoted[0])

        return wait_for(f"{sorted(names)} to run the resource", condition, timeout_s)

    def wait_stopped(self, node, timeout_s=60):
        def condition():
            status = self.status()
            return node.name not in status.promoted + status.unpromoted

        wait_for(f"{node.name} to run nothing", condition, timeout_s)

    def standby(self, node, on=True):
        self.a_node().run("crm_attribute", "--type", "nodes", "-N", node.name, "-n", "standby", "-v",
                          "on" if on else "off")

    def move(self, to):
        """Moves the promoted role by a constraint, as `pcs resource move --promoted` does."""
        done = self.a_node().run("crm_resource", "--move", "--promoted", "-r", CLONE, "-N", to.name, check=False)
        if done.returncode != 0:
            raise CommandFailed(done.stdout + done.stderr)

    def clear_move(self):
        self.a_node().run("crm_resource", "--clear", "-r", CLONE)

    def cleanup(self):
        self.a_node().run("crm_resource", "--cleanup", "-r", RESOURCE)
