#!/usr/bin/python3
"""The lease of the active role: who grants it, and when nobody does."""
import time

from cluster import AgentTest, BAN, FAILED_PROMOTED, OK, POSITION, PROMOTED, PROMOTED_MONITOR, main, wait_until


class Lease(AgentTest):
    def promoted(self, **parameters):
        self.one.serve("active writable 5 100")
        self.one.run("monitor")
        self.publish(self.two, "live", (5, 100))
        self.assertEqual(self.monitor(self.one, parameters, **PROMOTED_MONITOR), PROMOTED, self.one.said)

    def test_the_role_is_granted_on_when_no_monitor_comes(self):
        self.promoted(role_lease="4")
        wait_until(lambda: self.one.leases() >= 3, "two leases more")

    def ends_by(self, harm):
        self.promoted(role_lease="4")
        harm()
        time.sleep(4)
        self.assertEqual(self.one.leases(), 1)

    def test_not_without_quorum(self):
        self.ends_by(lambda: self.set("quorum", "0"))

    def test_not_when_the_role_is_gone(self):
        self.ends_by(lambda: self.one.serve("backup replicating 5 100"))

    def test_not_when_a_backup_has_given_it_back(self):
        def give_back():
            self.one.serve("active expired 5 100")
            (self.one.path / "deposed").touch()

        self.ends_by(give_back)

    def test_not_beside_another_active(self):
        self.ends_by(lambda: self.publish(self.two, "active", (6, 1)))

    def test_not_when_pacemaker_is_gone(self):
        self.ends_by(lambda: self.set("away", "crm_node"))

    def test_but_when_it_was_stopped_in_maintenance(self):
        self.promoted(role_lease="4")
        self.set("away", "crm_node")
        self.set("maintenance-mode.saved", "true")
        wait_until(lambda: self.one.leases() >= 3, "two leases more")

    def test_after_a_blip_in_maintenance_it_is_granted_again(self):
        """No monitor comes in maintenance, so nobody else would open the databases before its end."""
        self.promoted(role_lease="4")
        self.set("maintenance-mode", "true")
        self.set("quorum", "0")
        time.sleep(3.5)
        self.one.serve("active expired 5 100")
        time.sleep(1)
        self.assertEqual(self.one.leases(), 1)
        self.set("quorum", "1")
        wait_until(lambda: self.one.leases() >= 2, "another lease")

    def test_but_not_before_the_others_are_seen_again(self):
        """One of them may have been promoted meanwhile; its notice comes later than quorum."""
        self.promoted(role_lease="4")
        self.set("maintenance-mode", "true")
        self.set("quorum", "0")
        time.sleep(3.5)
        self.one.serve("active expired 5 100")
        (self.cluster / POSITION / self.two.host).unlink()
        self.set("quorum", "1")
        time.sleep(2)
        self.assertEqual(self.one.leases(), 1)

    def test_nor_before_its_own_notice_has_come_back(self):
        self.promoted(role_lease="4")
        self.set("maintenance-mode", "true")
        self.set("quorum", "0")
        time.sleep(3.5)
        self.one.serve("active expired 5 100")
        self.set("mute", "")
        self.set("quorum", "1")
        time.sleep(2.5)
        self.assertEqual(self.one.leases(), 1)
        (self.cluster / "mute").unlink()
        wait_until(lambda: self.one.leases() >= 2, "another lease")

    def test_of_several_actives_the_one_that_is_ahead_counts(self):
        self.promoted()
        self.set(f"{POSITION}/ctl0", "active,4,1,4,1,ctl0")
        self.publish(self.two, "active", (6, 1))
        self.assertEqual(self.monitor_again(), PROMOTED)
        self.assertEqual(self.one.last_lease(), "0.001")

    def servers_die_until_the_lease_has_run_out(self):
        """Out of the others' sight, of whom the cluster then forgets what they said."""
        self.promoted(role_lease="2")
        self.set("inquorate", "")
        for which in ("nb", "sb"):
            self.one.kill(which)
        time.sleep(2)
        (self.cluster / POSITION / self.two.host).unlink()
        (self.cluster / "inquorate").unlink()

    def test_servers_that_died_are_not_promoted_again_by_a_monitor_before_the_others_are_seen(self):
        """One of them may have been promoted meanwhile, and a restarted server does not know that its lease has run out."""
        self.servers_die_until_the_lease_has_run_out()
        self.assertEqual(self.monitor(self.one, {"role_lease": "2"}, **PROMOTED_MONITOR), FAILED_PROMOTED)
        self.assertIsNone(self.one.pid("nb"))

    def test_nor_by_the_keeper(self):
        self.servers_die_until_the_lease_has_run_out()
        time.sleep(6)
        self.assertIsNone(self.one.pid("nb"))
        self.publish(self.two, "live", (5, 100))
        wait_until(lambda: self.one.pid("nb") and self.one.said_by("nb").startswith("active"), "the restart")

    def monitor_again(self):
        return self.monitor(self.one, **PROMOTED_MONITOR)

    def test_a_lease_names_the_epoch_of_the_server_that_it_is_for(self):
        self.promoted()
        self.assertEqual((self.one.path / "nb-epoch").read_text(), "--epoch 5\n")

    def test_a_monitor_grants_nothing_when_corosync_does_not_answer(self):
        """Pacemaker goes on saying what it last heard of quorum, while others promote one of theirs."""
        self.promoted()
        self.set("hanging", "corosync-quorumtool")
        self.assertEqual(self.monitor_again(), PROMOTED)
        self.assertEqual(self.one.leases(), 1, "neither granted on nor taken away")

    def test_a_monitor_grants_and_takes_nothing_when_the_controller_does_not_answer(self):
        self.promoted()
        self.set("away", "crm_node")
        self.assertEqual(self.monitor_again(), PROMOTED)
        self.assertEqual(self.one.leases(), 1, "neither granted on nor taken away")

    def test_a_healthy_active_is_granted_one_more_lease_while_attributes_hang_and_fails_after_it(self):
        self.promoted()
        self.set("hanging", "attrd_updater")
        short = {"role_lease": "4"}
        self.assertEqual(self.monitor(self.one, short, **PROMOTED_MONITOR), PROMOTED, self.one.said)
        self.assertEqual(self.one.leases(), 2)
        self.assertEqual(self.monitor(self.one, short, **PROMOTED_MONITOR), FAILED_PROMOTED, "a monitor takes 5 s here")
        self.assertEqual(self.one.leases(), 2)

    def test_a_monitor_opens_an_expired_active_only_after_a_round_trip_through_the_cluster(self):
        """Just after the network has come back there is quorum, but another's notice may not have come yet."""
        self.promoted()
        self.one.serve("active expired 5 100")
        self.set("mute", "")
        self.assertEqual(self.monitor_again(), PROMOTED)
        self.assertEqual(self.one.leases(), 1)
        (self.cluster / "mute").unlink()
        self.assertEqual(self.monitor_again(), PROMOTED)
        self.assertEqual(self.one.leases(), 2)

    def test_a_lease_that_has_run_out_is_ended_where_there_are_to_be_none(self):
        self.promoted()
        self.one.serve("active expired 5 100")
        self.assertEqual(self.monitor(self.one, {"role_lease": "0"}, **PROMOTED_MONITOR), PROMOTED)
        self.assertEqual(self.one.last_lease(), "off")

    def test_a_monitor_fails_that_cannot_make_sure_of_an_expired_role_for_a_whole_lease(self):
        self.promoted()
        self.one.serve("active expired 5 100")
        (self.cluster / POSITION / self.two.host).unlink()
        short = {"role_lease": "1"}
        self.assertEqual(self.monitor(self.one, short, **PROMOTED_MONITOR), PROMOTED)
        time.sleep(1)
        self.assertEqual(self.monitor(self.one, short, **PROMOTED_MONITOR), FAILED_PROMOTED)
        self.assertEqual(self.one.leases(), 1)

    def test_a_monitor_believes_corosync_that_there_is_no_quorum(self):
        self.promoted()
        self.set("inquorate", "")
        self.assertEqual(self.monitor_again(), PROMOTED)
        self.assertEqual(self.one.last_lease(), "0.001")

    def test_a_monitor_looks_at_the_others_before_it_grants(self):
        """Another was promoted out of this one's sight; both say that they are active, and it has the higher epoch."""
        self.promoted()
        self.publish(self.two, "active", (6, 1))
        self.assertEqual(self.monitor_again(), PROMOTED)
        self.assertEqual(self.one.last_lease(), "0.001")

    def test_nor_will_it_be_chosen_by_pacemaker_then(self):
        """Which would end one of two that say that they are active."""
        self.promoted()
        self.publish(self.two, "active", (6, 1))
        self.monitor_again()
        self.assertEqual(self.score(self.one), BAN)

    def test_a_monitor_fails_when_another_was_promoted_later_and_was_ended_by_pacemaker(self):
        """This node stood still meanwhile, and its servers have not been told."""
        for word in ("final", "cut"):
            self.promoted()
            self.publish(self.two, word, (6, 1))
            leases = self.one.leases()
            self.assertEqual(self.monitor_again(), FAILED_PROMOTED)
            self.assertEqual(self.one.last_lease(), "0.001")
            self.assertEqual(self.one.leases(), leases + 1)
            self.assertEqual(self.score(self.one), BAN)
            self.assertEqual(self.one.run("demote"), OK)

    def test_it_gives_way_at_once_when_pacemaker_has_ended_the_later_one(self):
        self.promoted()
        self.publish(self.two, "final", (6, 1))
        self.assertEqual(self.one.run("notify", notify_type="post", notify_operation="demote",
                                      notify_demote_uname=self.two.name, notify_master_uname=self.one.name), OK)
        self.assertEqual(self.one.last_lease(), "0.001")
        self.assertEqual(self.score(self.one), BAN)

    def test_but_not_because_a_promotion_has_failed_elsewhere(self):
        self.promoted()
        self.publish(self.two, "silent", (5, 100), (6, 1))
        self.assertEqual(self.monitor_again(), PROMOTED)
        self.assertEqual(self.one.leases(), 2)

    def test_a_monitor_fails_when_another_server_was_made_active(self):
        """The server was told by a backup; Pacemaker then makes it a backup, too."""
        self.promoted()
        (self.one.path / "deposed").touch()
        self.assertEqual(self.monitor_again(), FAILED_PROMOTED)
        self.assertEqual(self.one.leases(), 1)

    def test_a_monitor_without_quorum_ends_the_right_to_write(self):
        self.promoted()
        self.set("quorum", "0")
        self.assertEqual(self.monitor_again(), PROMOTED)
        self.assertEqual(self.one.last_lease(), "0.001")


if __name__ == "__main__":
    main()
