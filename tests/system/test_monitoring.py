#!/usr/bin/python3
"""What monitoring/ ships: alert rules do what they say, queries name metrics that there are, haproxy finds the active."""

import itertools
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

from harness import environment, load
from harness.case import SystemTest, main
from harness.jsonrpc import Closed, Connection
from harness.ports import free_port
from harness.server import wait_until

FOLDER = environment.SOURCE / "monitoring"
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}
# Of every scrape.
LABELS = {"cluster", "instance", "job", "le"}


def metrics():
    """The series that a server has, with the labels of each, as the manual has them."""
    found = {"up": set()}
    for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*) \|", (environment.SOURCE / "docs/metrics.md").read_text(), re.M):
        for suffix in SUFFIXES.get(kind, ("",)):
            found[name + suffix] = set(labels.split(", ")) - {""}
    return found


def dashboard():
    return json.loads((FOLDER / "dashboard.json").read_text())


def queries_of_dashboard():
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in dashboard()["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def promtool(*arguments):
    done = subprocess.run(("promtool", *map(str, arguments)), capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"promtool {arguments}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Rules(unittest.TestCase):
    RULES = (FOLDER / "alerts.yml").read_text()

    def test_rules_and_scrape_configuration_are_valid(self):
        promtool("check", "rules", FOLDER / "alerts.yml")
        self.assertIn("1 rule files found", promtool("check", "config", FOLDER / "prometheus.yml"))

    def test_alerts_fire_when_they_should(self):
        promtool("test", "rules", FOLDER / "alerts_test.yml")

    def test_each_alert_is_tested_and_has_a_severity_and_a_summary(self):
        alerts = re.findall(r"^ +- alert: (\w+)$", self.RULES, re.M)
        self.assertGreater(len(alerts), 20)
        self.assertEqual(len(alerts), len(set(alerts)))
        tested = (FOLDER / "alerts_test.yml").read_text()
        self.assertEqual([name for name in alerts if name not in tested], [])
        self.assertEqual(len(re.findall(r"labels: \{severity: (?:critical|warning)\}", self.RULES)), len(alerts))
        self.assertEqual(len(re.findall(r"^ +summary: ", self.RULES, re.M)), len(alerts))

    def test_what_tests_feed_to_the_rules_is_on_the_page_as_well(self):
        known = metrics()
        for name, labels in re.findall(r"series: '(\w+)\{(.*)\}'", (FOLDER / "alerts_test.yml").read_text()):
            with self.subTest(series=name):
                self.assertEqual(set(re.findall(r"(\w+)=", labels)) - LABELS, known[name] - {"le"})

    def test_rules_name_metrics_that_there_are(self):
        check_names(self, re.sub(r"^ *(#|- alert:|summary:|description:).*$", "", self.RULES, flags=re.M))


def check_names(case, query):
    """The metrics that a query reads are on the page, with the labels by which it selects."""
    known = metrics()
    names = set(re.findall(r"\b(?:tandem|process)_\w+", query))
    case.assertEqual(names - set(known), set())
    for name, selected in re.findall(r"\b((?:tandem|process)_\w+)\{([^}]*)\}", query):
        used = set(re.findall(r'(\w+)(?:=~|!~|!=|=)"', selected))
        case.assertLessEqual(used, known[name] | LABELS, f"labels of {name}")
    return names


class Dashboard(unittest.TestCase):
    def test_its_queries_are_valid_and_name_metrics_that_there_are(self):
        rules, names = [], set()
        for number, (title, query) in enumerate(queries_of_dashboard()):
            with self.subTest(panel=title):
                names |= check_names(self, query)
            query = query.replace("$__rate_interval", "1m").replace("$cluster", "c").replace("$database", "D")
            self.assertNotIn("$", query)
            rules.append({"record": f"check:{number}", "expr": query})
        self.assertGreater(len(names), 30)
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "queries.json")
        path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
        self.assertIn(f"{len(rules)} rules found", promtool("check", "rules", path))

    def test_its_panels_have_titles_numbers_and_places_of_their_own(self):
        panels = dashboard()["panels"]
        for member in ("id", "title"):
            self.assertEqual(len({panel[member] for panel in panels}), len(panels))
        for one, other in itertools.combinations([panel["gridPos"] for panel in panels], 2):
            apart = (one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
                     or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"])
            self.assertTrue(apart, f"{one} and {other}")
        variables = {variable["name"] for variable in dashboard()["templating"]["list"]}
        self.assertEqual(variables, {"datasource", "cluster", "database"})


class LoadBalancer(SystemTest):
    CONFIG = (FOLDER / "haproxy.cfg").read_text()

    def test_the_example_is_valid(self):
        done = subprocess.run(("haproxy", "-c", "-f", FOLDER / "haproxy.cfg"), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("WARNING", done.stdout + done.stderr)

    def test_clients_of_the_example_reach_the_active_wherever_it_is(self):
        """The Northbound part, with two servers here in the place of its nodes."""
        front = free_port()
        ports = [(free_port(), free_port()) for _ in range(2)]
        for name in ("node1", "node2"):
            self.database(f"{name}.db", load.SCHEMA)
        one = self.server("node1", ["node1.db"], f"--remote=ptcp:{ports[0][0]}:127.0.0.1", f"--http=127.0.0.1:{ports[0][1]}")
        two = self.server("node2", ["node2.db"], f"--remote=ptcp:{ports[1][0]}:127.0.0.1", f"--http=127.0.0.1:{ports[1][1]}",
                          f"--sync-from={one.socket}")
        self.start_haproxy(front, ports)
        for active, backup in ((one, two), (two, one)):
            self.write(front, active.name)
            if active is one:
                active.appctl("tandem/demote", backup.socket)
                backup.appctl("tandem/promote")

    def start_haproxy(self, front, ports):
        text = self.CONFIG[:self.CONFIG.index("listen ovn-sb")]
        text = text.replace("192.0.2.10:6641", f"127.0.0.1:{front}").replace(" port 9641", "")
        for node, (port, http) in enumerate(ports, 1):
            text = re.sub(rf"server node{node} \S+", f"server node{node} 127.0.0.1:{port} port {http}", text)
        path = self.scratch.path / "haproxy.cfg"
        path.write_text(text)
        log = open(self.scratch.path / "haproxy.log", "wb")
        self.addCleanup(log.close)
        haproxy = subprocess.Popen(("haproxy", "-db", "-f", path), stdout=log, stderr=log)
        self.addCleanup(haproxy.wait)
        self.addCleanup(haproxy.kill)

    def write(self, front, name):
        """A row gets to the one that accepts it, once haproxy has found that."""
        tries = itertools.count()

        def written():
            row = {"name": f"{name}-{next(tries)}"}
            try:
                with Connection(f"tcp:127.0.0.1:{front}", deadline_s=0, timeout=2) as client:
                    reply = client.call("transact", load.DB, {"op": "insert", "table": "Switch", "row": row})
                    return reply.get("error") is None and "error" not in reply["result"][0]
            except (OSError, Closed):
                return False
        wait_until(written, f"a write to reach {name}")


if __name__ == "__main__":
    main()
