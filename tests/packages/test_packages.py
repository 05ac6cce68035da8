#!/usr/bin/python3
"""The packages: made of the built programs, installed on a fresh root of this Debian, upgraded while servers run, removed.

Needs root, and the network where the root is not in the cache yet. No systemd runs there: units are verified, and started as
they say.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

from root import KEPT, Root, make_archive, run

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TANDEM_BUILD", SOURCE / "build/release"))
VERSION = re.search(r"project\(tandem VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text())[1]
UPGRADE = VERSION + "+1"
NAMES = ("tandem-monitoring", "tandem-ovn", "tandem-resource-agent", "tandem-server", "tandem-tools")
UNITS = "/usr/lib/systemd/system"
AGENT = "/usr/lib/ocf/resource.d/ovn/ovndb-servers"
SKIPPED = 77


def setUpModule():
    global SCRATCH
    SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="tandem-packages-"))
    unittest.addModuleCleanup(subprocess.run, ["rm", "-rf", "--one-file-system", SCRATCH], check=True)
    for version in (VERSION, UPGRADE):
        subprocess.run([SOURCE / "package.sh", f"--build-dir={BUILD}", f"--version={version}", SCRATCH / version], check=True,
                       stdout=subprocess.DEVNULL)


def package_file(name, version=VERSION):
    return next((SCRATCH / version).glob(f"{name}_*.deb"))


def readme_commands():
    """Those of "Install from packages": the first block installs, the second goes back."""
    section = (SOURCE / "README.md").read_text().split("## Install from packages\n")[1].split("\n## ")[0]
    return [re.findall(r"^    (.+)$", block, re.MULTILINE)
            for block in re.findall(r"(?:^    .+\n)+", section, re.MULTILINE)]


class Files(unittest.TestCase):
    def test_these_are_the_packages(self):
        self.assertEqual(tuple(sorted(file.name.split("_")[0] for file in (SCRATCH / VERSION).iterdir())), NAMES)
        for name in NAMES:
            self.assertEqual(run("dpkg-deb", "--field", package_file(name), "Version").strip(), VERSION)

    def test_lintian_finds_no_error(self):
        done = subprocess.run(["lintian", "--allow-root", "--fail-on=error,warning", "--tag-display-limit=0",
                               *(package_file(name) for name in NAMES)], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_all_that_an_install_lays_is_in_a_package(self):
        with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
            run("cmake", "--install", BUILD, "--prefix", "/usr", env=os.environ | {"DESTDIR": folder})
            laid = {f"/{path.relative_to(folder)}".removesuffix(".gz") for path in pathlib.Path(folder).rglob("*")
                    if not path.is_dir()}
        packaged = set()
        for name in NAMES:
            for line in run("dpkg-deb", "--contents", package_file(name)).splitlines():
                packaged.add(line.split(None, 5)[5].split(" -> ")[0].lstrip(".").removesuffix(".gz"))
        self.assertIn("/usr/sbin/tandem-server", laid)
        self.assertEqual(laid - packaged, {"/usr/share/doc/tandem/LICENSE"})


class Life(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # What our programs are linked to, as the packages say.
        depends = ",".join(run("dpkg-deb", "--field", package_file(name), "Depends") for name in NAMES)
        libraries = sorted({name for name in re.findall(r"[a-z0-9][a-z0-9.+-]+(?= *\(|,|$)", depends)
                            if name.startswith("lib")})
        archive = make_archive(["logrotate", "mount", "openvswitch-common", "ovn-central", "ovn-common", "procps", "systemd",
                                *libraries], ["ovn-common"])
        cls.root = Root(archive, SCRATCH / "root")
        cls.addClassCleanup(cls.root.close)
        cls.before = cls.installed_files()

    @classmethod
    def installed_files(cls):
        return set(cls.root.run("find /etc /usr /var/lib /var/log -xdev ! -type d").splitlines())

    def provide(self, version):
        folder = self.root.path / "root/build/packages"
        run("rm", "-rf", folder)
        folder.parent.mkdir(exist_ok=True)
        run("cp", "-r", SCRATCH / version, folder)

    def as_readme_says(self, commands):
        """Runs them; what systemd does is done as its units say."""
        output = ""
        for line in commands:
            command = line.removeprefix("sudo ")
            if command.startswith("systemctl restart "):
                for unit in command.split()[2:]:
                    self.restart(unit)
            else:
                output = self.root.run(f"cd /root && bash -c '{command.replace('apt ', 'apt-get -y ')}'")
                self.assertNotRegex(output, r"(?i)\berror|warning: (?!apt)|failed", command)
        return output

    def restart(self, unit):
        text = (self.root.path / f".{UNITS}/{unit}.service").read_text()
        drop_in = self.root.path / f".{UNITS}/{unit}.service.d/tandem.conf"
        env = {}
        if drop_in.exists():
            name, value = re.search(r"^Environment=(\w+)=(\S+)$", drop_in.read_text(), re.MULTILINE).groups()
            env[name] = value
        command = {verb: re.search(rf"^{verb}=(.*)$", text, re.MULTILINE)[1].replace("$OVN_CTL_OPTS", "")
                   for verb in ("ExecStart", "ExecStop")}
        self.root.run(command["ExecStop"], **env)
        db = unit[-2:]
        self.root.run(f"setsid {command['ExecStart']} >/var/log/{unit} 2>&1 </dev/null &", **env)
        self.wait_until(lambda: self.root.run(f"ovn-{db}ctl --no-leader-only --timeout=5 get-connection", check=False) == "")

    def wait_until(self, condition):
        deadline = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), deadline, "waited for too long")
            time.sleep(0.1)

    def program(self, pid):
        return self.root.run(f"readlink /proc/{pid}/exe").strip().removesuffix(" (deleted)")

    def pids(self, program):
        """Of both servers, which have to run this program."""
        pids = [self.root.run(f"cat /run/ovn/ovn{db}_db.pid").strip() for db in ("nb", "sb")]
        self.assertEqual({self.program(pid) for pid in pids}, {program})
        return pids

    def switches(self):
        return [line.split("(")[1].rstrip(")") for line in self.root.run("ovn-nbctl --timeout=5 ls-list").splitlines()]

    def test_install_upgrade_and_remove(self):
        for db in ("nb", "sb"):
            self.restart(f"ovn-ovsdb-server-{db}")
        stock = self.pids("/usr/sbin/ovsdb-server")
        self.root.run("ovn-nbctl --timeout=5 ls-add of-stock")
        install, remove = readme_commands()

        # Installed: what runs goes on, and Tandem is what is started next.
        self.provide(VERSION)
        self.as_readme_says(install[:1])
        self.assertEqual(self.pids("/usr/sbin/ovsdb-server"), stock)
        status = self.as_readme_says(install[1:])
        self.assertEqual(status.count(f"version: Tandem {VERSION}"), 2, status)
        pids = self.pids("/usr/sbin/tandem-server")
        self.root.run("ovn-nbctl --timeout=5 ls-add of-tandem")
        self.assertEqual(self.switches(), ["of-stock", "of-tandem"])

        # Upgraded, and whole: the same processes serve.
        self.root.run("dpkg -i /root/build/packages/*.deb")
        self.provide(UPGRADE)
        output = self.root.run("dpkg -i /root/build/packages/*.deb")
        self.assertNotRegex(output, r"(?i)\berror|warning|failed")
        self.assertEqual(self.pids("/usr/sbin/tandem-server"), pids)
        self.root.run("ovn-nbctl --timeout=5 ls-add of-before-upgrade")
        status = self.root.run("tandem-ctl status")
        self.assertEqual(status.count(f"version: Tandem {VERSION}, replaced since the start\n"), 2, status)

        self.check_agent()
        self.check_units()
        self.check_logs()
        self.check_own_service()

        # Removed: what runs goes on, the next start is stock's, on the same files.
        self.as_readme_says(remove[:1])
        self.assertEqual(self.pids("/usr/sbin/tandem-server"), pids)
        self.root.run("ovn-nbctl --timeout=5 ls-add of-after-removal")
        self.as_readme_says(remove[1:])
        self.pids("/usr/sbin/ovsdb-server")
        self.assertEqual(self.switches(), ["of-after-removal", "of-before-upgrade", "of-stock", "of-tandem"])

        output = self.root.run(f"dpkg --purge {' '.join(NAMES)}")
        self.assertNotRegex(output, r"(?i)\berror|warning|failed")
        left = {file for file in self.installed_files() ^ self.before if not re.match(
            r"/var/(lib/(dpkg|apt|ovn|systemd|logrotate|tandem)|log/(ovn|dpkg|apt|alternatives))|/etc/(passwd|group|g?shadow|ld)", file)}
        self.assertEqual(left, set())

    def check_agent(self):
        """It is ours at its place, also after ovn-common was installed again, or upgraded."""
        for again in (False, True):
            if again:
                self.root.run(f"dpkg -i {KEPT}/ovn-common_*.deb")
            self.assertEqual(self.root.run(f"readlink -f {AGENT}").strip(), "/usr/lib/tandem/ocf/ovndb-servers")
            self.assertIn('<parameter name="tandem_dir"', self.root.run(f"{AGENT} meta-data"))
        self.assertEqual(self.program_of_agent(), "/usr/lib/tandem/tandem-agent")

    def program_of_agent(self):
        return self.root.run("readlink -f /usr/lib/tandem/ovs/tandem-agent").strip()

    def check_units(self):
        self.root.run("cp /usr/share/doc/tandem-server/examples/nb.conf /etc/tandem/nb.conf")
        output = self.root.run("SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no tandem-server@nb.service "
                               "ovn-ovsdb-server-nb.service ovn-ovsdb-server-sb.service")
        self.assertEqual([line for line in output.splitlines() if "tandem" in line], [], output)
        self.assertNotIn("enabled", self.root.run("systemctl is-enabled tandem-server@nb.service", check=False).split())
        services = ["tandem-server@nb.service", "ovn-ovsdb-server-nb.service", "ovn-ovsdb-server-sb.service",
                    "pacemaker.service"]
        script = r"""our %nrconf; for (glob "/etc/needrestart/conf.d/tandem-*.conf") { do $_; die $@ if $@; }
                     for my $s (@ARGV) { print "$s\n" if grep { $s =~ /$_/ && !$nrconf{override_rc}{$_} } keys %{$nrconf{override_rc}}; }"""
        self.assertEqual(self.root.run(f"perl -e '{script}' {' '.join(services)} ovsdb-server.service").split(), services)

    def check_logs(self):
        """ovn-common's rules rotate what servers under ovn-ctl log."""
        self.root.run("echo before >>/var/log/ovn/ovsdb-server-nb.log; logrotate --force /etc/logrotate.d/ovn-common")
        self.wait_until(lambda: self.root.run("cat /var/log/ovn/ovsdb-server-nb.log", check=False))
        self.assertNotIn("before", self.root.run("cat /var/log/ovn/ovsdb-server-nb.log"))

    def check_own_service(self):
        """tandem-server@nb, started as its unit says: as its own user, and with what systemd makes for it."""
        unit = (self.root.path / f".{UNITS}/tandem-server@.service").read_text().replace("\\\n", "")
        start = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)[1]
        for specifier, value in {"%t": "/run", "%L": "/var/log", "%i": "nb"}.items():
            start = start.replace(specifier, value)
        self.root.run("id tandem && install -d -o tandem -g tandem -m 750 /run/tandem /var/log/tandem /var/lib/tandem")
        as_user = "setpriv --reuid=tandem --regid=tandem --clear-groups --no-new-privs"
        config = (self.root.path / "usr/share/doc/tandem-server/examples/nb.conf").read_text()
        create = re.search(r"sudo -u tandem (tandem-tool create .*)$", config, re.MULTILINE)[1]
        self.root.run(f"{as_user} {create}")
        self.root.run(f". /etc/tandem/nb.conf; setsid {as_user} {start} >/tmp/start 2>&1 </dev/null & ")
        self.wait_until(lambda: "OVN_Northbound" in self.root.run("tandem-ctl -t /run/tandem/nb.ctl position", check=False))
        self.root.run("ovn-nbctl --db=tcp:127.0.0.1:6641 --timeout=5 ls-add own")
        self.root.run("logrotate --force /etc/logrotate.d/tandem-server")
        self.wait_until(lambda: "own" in self.root.run("cat /var/log/tandem/nb.log.1* | zcat -f", check=False)
                        or (self.root.path / "var/log/tandem/nb.log").exists())
        self.assertEqual(self.root.run("stat -c %U /var/log/tandem/nb.log").strip(), "tandem")
        self.root.run("tandem-ctl -t /run/tandem/nb.ctl exit; rm /etc/tandem/nb.conf")


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("needs root", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
