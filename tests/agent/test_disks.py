#!/usr/bin/python3
"""Servers that cannot write to their disks: who is active, and who may become it."""
from cluster import AgentTest, FAILED, OK, PROMOTED, PROMOTED_MONITOR, main, wait_until


class Disks(AgentTest):
    def backup_in_sync(self, node, index=100, in_sync=1):
        self.publish(node, "live", (5, index), None, "2", "-", str(in_sync) * 2, "-", "-")

    def test_an_active_that_cannot_write_passes_the_role_to_a_backup_in_sync(self):
        self.promoted()
        self.backup_in_sync(self.two)
        (self.one.path / "unhealthy").write_text("yes\n")
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), PROMOTED)
        self.assertEqual(self.score(self.one), "-INFINITY")
        self.assertEqual(self.one.leases(), 1)

    def test_but_keeps_it_where_no_backup_has_all_that_it_has(self):
        self.promoted()
        self.backup_in_sync(self.two, index=99, in_sync=0)
        (self.one.path / "unhealthy").write_text("yes\n")
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), PROMOTED)
        self.assertEqual(self.score(self.one), 1000)

    def cut_off(self, sync):
        """The backup lacks nothing of the database that hangs, and what the other one has got since it said so."""
        self.promoted()
        self.one.say("sb", "active writable 5 900")
        self.publish(self.two, "cut", (5, 100), (5, 890), "2", "-", sync, "-", "-")
        (self.one.path / "unhealthy").write_text("yes\n")
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), PROMOTED)

    def test_and_passes_it_to_one_that_lacks_nothing_of_the_database_that_hangs_and_follows_the_other(self):
        self.cut_off(sync="01")
        self.assertEqual(self.score(self.one), "-INFINITY")

    def test_but_not_to_one_that_has_just_been_cut_off_from_both(self):
        self.cut_off(sync="11")
        self.assertEqual(self.score(self.one), 1000)

    def test_and_takes_it_up_again_when_it_can_write_before_another_is_promoted(self):
        self.test_an_active_that_cannot_write_passes_the_role_to_a_backup_in_sync()
        (self.one.path / "unhealthy").unlink()
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), PROMOTED)
        self.assertEqual(self.score(self.one), 1000)

    def test_the_keeper_does_not_wait_for_a_monitor_to_pass_the_role_on(self):
        self.promoted()
        self.backup_in_sync(self.two)
        (self.one.path / "unhealthy").write_text("yes\n")
        wait_until(lambda: self.score(self.one) == "-INFINITY", "the keeper to give the role up")

    def test_readers_are_served_on_where_nobody_takes_the_role_over(self):
        """In maintenance there are no monitors: the keeper alone grants the role on."""
        self.promoted({"role_lease": "2"})
        self.backup_in_sync(self.two, index=99, in_sync=0)
        (self.one.path / "unhealthy").write_text("yes\n")
        before = self.one.leases()
        wait_until(lambda: self.one.leases() >= before + 2, "the keeper to grant the lease on")

    def test_a_backup_that_cannot_write_is_no_candidate(self):
        self.start(self.one)
        self.one.serve("backup replicating 5 100")
        self.assertEqual(self.monitor(self.one), OK)
        self.assertEqual(self.score(self.one), 9)
        (self.one.path / "unhealthy").write_text("yes\n")
        self.assertEqual(self.monitor(self.one), OK)
        self.assertEqual(self.score(self.one), "-INFINITY")

    def test_a_copy_whose_file_is_damaged_is_no_candidate_until_it_follows_again(self):
        self.start(self.one)
        self.one.serve("backup replicating 5 100")
        self.assertEqual(self.monitor(self.one), OK)
        self.assertEqual(self.score(self.one), 9)
        (self.one.path / "damaged").write_text("sb\n")
        self.one.serve("backup replicating 5 60")  # it takes its contents from the active
        self.assertEqual(self.monitor(self.one), OK)
        self.assertEqual(self.score(self.one), "-INFINITY")
        (self.one.path / "damaged").unlink()
        self.one.serve("backup replicating 5 100")
        self.assertEqual(self.monitor(self.one), OK)
        self.assertEqual(self.score(self.one), 9)

    def test_a_damaged_copy_stays_unpromoted_though_there_is_no_other(self):
        self.start(self.one)
        self.one.serve("backup idle 5 60")
        (self.one.path / "damaged").write_text("nb\n")
        for _ in range(2):
            self.assertEqual(self.monitor(self.one), OK)
        self.assertEqual(self.score(self.one), "-INFINITY")
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), FAILED)
        self.assertFalse(any("promote" in line for line in self.one.asked("nb")))

    def test_a_promotion_opens_no_epoch_beside_a_server_that_cannot_write(self):
        self.one.serve("backup connecting 5 100")
        (self.one.path / "unhealthy").write_text("yes\n")
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), FAILED)
        self.assertFalse(any("promote" in line for line in self.one.asked("sb")))

    def test_of_two_servers_that_died_none_is_active_again_if_the_file_of_one_is_damaged(self):
        """The one would write in an epoch that the other has not, and no copy would be ahead in both."""
        self.promoted()
        (self.one.path / "damaged").write_text("nb\n")
        self.set("slow-start", "1")
        self.one.kill("nb")
        self.one.kill("sb")
        wait_until(lambda: any("--fail" in call for call in self.one.calls("crm_resource")), "the report")
        self.assertFalse(any("promote" in line for which in ("nb", "sb") for line in self.one.asked(which)))


if __name__ == "__main__":
    main()
