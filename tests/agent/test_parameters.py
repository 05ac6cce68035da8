#!/usr/bin/python3
"""Parameters: which are refused, what they become, and what a reload changes."""
import os
import subprocess

from cluster import AgentTest, HERE, NOT_CONFIGURED, OK, PROGRAM, main


class Parameters(AgentTest):
    def test_more_than_one_active_and_a_clone_without_notifications_are_refused(self):
        self.assertEqual(self.one.run("validate-all"), OK, self.one.said)
        self.assertEqual(self.one.run("validate-all", promoted_max="2"), NOT_CONFIGURED)
        self.assertEqual(self.one.run("validate-all", notify="false"), NOT_CONFIGURED)
        self.assertEqual(self.one.run("start", notify="false"), NOT_CONFIGURED)

    def test_a_port_for_http_is_a_databases_own(self):
        self.assertEqual(self.one.run("validate-all", {"server_options": "--http=:8080"}), NOT_CONFIGURED)
        self.assertEqual(self.one.run("start", {"nb_http": "127.0.0.1:8081"}), OK)
        starts = {which: call for call in self.one.calls("ovn-ctl") for which in ("nb", "sb") if f"start_{which}" in call}
        self.assertIn("--http=127.0.0.1:8081", starts["nb"])
        self.assertNotIn("--http", starts["sb"])

    def test_commits_wait_for_one_backup_unless_told_otherwise(self):
        self.start(self.one)
        self.assertTrue(all("--sync-replicas=1 --sync-fallback=async" in call for call in self.one.calls("ovn-ctl")))
        self.one.run("stop")
        self.one.forget_calls()
        self.start(self.one, {"sync_replicas": "2", "sync_fallback": "block"})
        self.assertTrue(all("--sync-replicas=2 --sync-fallback=block" in call for call in self.one.calls("ovn-ctl")))
        self.one.run("stop")
        self.one.forget_calls()
        self.start(self.one, {"server_options": "--sync-replicas=0"})
        self.assertFalse(any("--sync-replicas=1" in call for call in self.one.calls("ovn-ctl")))

    def test_with_tls_the_stock_agents_files_are_the_default(self):
        for name in ("ovnnb-privkey.pem", "ovnnb-cert.pem", "cacert.pem"):
            (self.cluster / name).touch()
        self.addCleanup(os.environ.pop, "TANDEM_AGENT_TLS", None)
        environment = self.one.environment
        self.one.environment = lambda meta: environment(meta) | {"TANDEM_AGENT_TLS": str(self.cluster)}
        self.assertEqual(self.one.run("start", {"nb_master_protocol": "ssl"}), OK)
        starts = {which: call for call in self.one.calls("ovn-ctl") for which in ("nb", "sb") if f"start_{which}" in call}
        self.assertIn(f"--ovn-nb-db-ssl-key={self.cluster}/ovnnb-privkey.pem", starts["nb"])
        self.assertIn(f"--ovn-nb-db-ssl-ca-cert={self.cluster}/cacert.pem", starts["nb"])
        self.assertNotIn("ssl-key", starts["sb"])

    def test_a_reload_changes_how_commits_wait_without_a_restart(self):
        self.promoted()
        pid = self.one.pid("nb")
        self.assertEqual(self.one.run("reload-agent", {"sync_replicas": "2", "role_lease": "77"}), OK)
        self.assertIn("tandem/sync-replicas 2 1000 async", self.one.asked("nb"))
        self.assertEqual(self.one.last_lease(), "77")
        self.assertEqual(self.one.pid("nb"), pid)

    def test_a_reload_leaves_alone_how_commits_wait_where_the_servers_options_say_it(self):
        strict = {"server_options": "--sync-replicas=2 --sync-fallback=block"}
        self.start(self.one, strict)
        self.assertEqual(self.one.run("reload-agent", strict | {"copies_wait": "30"}), OK)
        self.assertFalse(any("sync-replicas" in line for line in self.one.asked("nb")), self.one.asked("nb"))

    def test_the_role_is_advertised_as_the_parameter_says(self):
        self.start(self.one)
        self.assertFalse(any("--advertise-role" in call for call in self.one.calls("ovn-ctl")))
        self.one.run("stop")
        self.one.forget_calls()
        self.start(self.one, {"advertise_role": "leader"})
        self.assertTrue(all("--advertise-role=leader" in call for call in self.one.calls("ovn-ctl")))

    def test_a_reload_changes_what_is_advertised_but_where_the_servers_options_say_it(self):
        self.promoted()
        pid = self.one.pid("nb")
        own = {"server_options": "--advertise-role=leader"}
        self.assertEqual(self.one.run("reload-agent", own), OK)
        self.assertFalse(any("advertise-role" in line for line in self.one.asked("nb")), self.one.asked("nb"))
        self.assertEqual(self.one.run("reload-agent", {"advertise_role": "connected"}), OK)
        self.assertIn("tandem/advertise-role connected", self.one.asked("nb"))
        self.assertEqual(self.one.pid("nb"), pid)

    def test_a_reload_that_ends_the_lease_tells_the_servers(self):
        self.promoted()
        self.assertEqual(self.one.run("reload-agent", {"role_lease": "0"}), OK)
        self.assertEqual(self.one.last_lease(), "off")

    def test_numbers_have_an_upper_bound(self):
        for name in ("role_lease", "copies_wait", "control_timeout", "nb_master_port", "sync_replicas"):
            for value in ("99999999999999999999", "700000000", "x"):
                self.assertEqual(self.one.run("validate-all", {name: value}), NOT_CONFIGURED, (name, value))
        for name in ("sync_fallback", "advertise_role"):
            self.assertEqual(self.one.run("validate-all", {name: "wait"}), NOT_CONFIGURED, name)

    def test_what_cannot_be_is_refused_and_said(self):
        for name, values in {
                "master_ip": ("192.0.2.300", "192.0.2.10/24", " 192.0.2.10 ", "[fd00::1", ""),
                "listen_on_master_ip_only": ("maybe",), "manage_northd": ("maybe",), "promote_stale": ("2",),
                "node_addresses": ("ctl1=", "ctl1", "=192.0.2.1", "ctl1=300.1.1.1"),
                "nb_master_port": ("0", "6642"), "nb_http": ("banana", "8080", "192.0.2.1:99999"),
                "nb_master_protocol": ("tcp ssl",), "sync_fallback": ("async block",), "advertise_role": ("",)}.items():
            for value in values:
                refused = OK if (name, value) == ("advertise_role", "") else NOT_CONFIGURED  # empty: the default
                self.assertEqual(self.one.run("validate-all", {name: value}), refused, (name, value))
                if refused:
                    self.assertIn(f"ocf-exit-reason:{name.split('_master')[0]}", self.one.said)
        self.assertEqual(self.one.run("validate-all", {"ovn_ctl": "/usr/share"}), 5)
        self.assertEqual(self.one.run("validate-all", {"ovn_nb_db_cert": "/nowhere"}), 5)

    def test_what_can_be_is_not(self):
        for name, values in {
                "master_ip": ("[fd00::1]", "fd00::1", "fe80::1%eth0", "db.example"),
                "listen_on_master_ip_only": ("True", "y", "OFF"), "node_addresses": ("ctl1=fd00::1 ctl10=[fd00::2]",),
                "nb_http": (":8080", "127.0.0.1:8080", "[::1]:8080", "localhost:8080"), "control_timeout": ("08",)}.items():
            for value in values:
                self.assertEqual(self.one.run("validate-all", {name: value}), OK, (name, value, self.one.said))

    def test_notify_may_be_true_in_all_of_pacemakers_words(self):
        for word in ("y", "On", "Yes", "TRUE", "1"):
            self.assertEqual(self.one.run("validate-all", notify=word), OK, word)

    def test_without_an_action_the_usage_is_told(self):
        self.assertEqual(self.one.run(""), 3)
        self.assertIn("usage", self.one.said)

    def test_a_folder_with_a_stock_server_has_it_started_as_one(self):
        other = self.cluster / "a folder"
        other.mkdir()
        (other / "ovsdb-server").symlink_to(HERE / "server")
        environment = self.one.environment
        self.one.environment = lambda meta: environment(meta) | {"OCF_RESKEY_tandem_dir": str(other)}
        (other / "tandem-agent").symlink_to(self.programs / "tandem-agent")
        self.start(self.one)
        self.assertTrue(all("--active-remote" in call for call in self.one.calls("ovn-ctl")))
        self.one.run("stop")
        self.one.forget_calls()
        (other / "tandem-agent").unlink()
        environment_of_tool = self.one.environment({}) | {"OCF_RESKEY_CRM_meta_timeout": "20000"}
        subprocess.run([PROGRAM, "start"], env=environment_of_tool, check=True)
        self.assertFalse(any("--active-remote" in call for call in self.one.calls("ovn-ctl")))

    def test_a_reload_refuses_what_a_start_refuses(self):
        self.assertEqual(self.one.run("reload-agent", {"control_timeout": "00"}), NOT_CONFIGURED)

    def test_the_metadata_say_what_can_be_reloaded_if_pacemaker_asks_by_version_1_1(self):
        environment = self.one.environment
        self.one.environment = lambda meta: environment(meta) | {"OCF_RA_VERSION_MINOR": "1"}
        self.one.run("meta-data")
        self.assertRegex(self.one.said, 'name="role_lease"[^>]*reloadable="1"')
        self.assertNotRegex(self.one.said, 'name="master_ip"[^>]*reloadable')
        self.assertIn('<action name="reload-agent"', self.one.said)

    def test_the_metadata_call_roles_as_pacemaker_does(self):
        environment = self.one.environment
        for minor, role in (("1", "Promoted"), ("0", "Master")):
            self.one.environment = lambda meta, minor=minor: environment(meta) | {"OCF_RA_VERSION_MINOR": minor}
            self.one.run("meta-data")
            self.assertIn(f'role="{role}"', self.one.said)


if __name__ == "__main__":
    main()
