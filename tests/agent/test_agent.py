#!/usr/bin/python3
"""What the agent decides: which copy is promoted, with which scores, with and without an active."""
from cluster import (AgentTest, BAN, COPIES, FAILED, NOT_RUNNING, OK, PROMOTED, SCORE, main)


class Decisions(AgentTest):
    # --- promotion by position ---

    def test_the_one_that_is_behind_yields(self):
        self.one.serve("backup connecting 5 100")
        self.score(self.one, 9)
        self.score(self.two, 9)
        self.publish(self.two, "final", (5, 150))
        self.assertEqual(self.before_promotion(self.one), OK)
        self.assertEqual(self.score(self.one), BAN)
        self.assertEqual(self.promote(self.one), FAILED)
        self.assertIn(f"behind {self.two.name}", self.one.said)
        self.assertIn("backup", self.one.said_by("nb"))

    def test_it_yields_also_when_the_better_one_is_quicker(self):
        """That one raises its score as soon as it sees where the chosen one is."""
        self.one.serve("backup connecting 5 100")
        self.score(self.one, 9)
        self.score(self.two, 9)
        self.publish(self.two, "final", (5, 150))
        self.others(f'case $1 in final*) echo 200 >"$CLUSTER/{SCORE}/{self.two.host}" ;; esac\n')
        self.before_promotion(self.one)
        self.assertEqual(self.score(self.two), 200)
        self.assertEqual(self.promote(self.one), FAILED)

    def test_a_constraint_wins_after_the_better_copy_was_waited_for(self):
        """Pacemaker does not choose the better one though that could be promoted all along."""
        patient = {"copies_wait": "1"}
        self.start(self.one, patient)
        self.one.serve("backup connecting 5 100")
        self.publish(self.two, "cut", (5, 150))
        self.monitor(self.one, patient)
        self.assertEqual(self.score(self.one), BAN)
        self.wait(1)
        self.monitor(self.one, patient)
        self.assertEqual(self.score(self.one), 1)
        self.publish(self.two, "final", (5, 150))
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), FAILED, "the other one runs: it gets another chance")
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), OK, self.one.said)
        self.assertEqual(self.one.said_by("nb"), "active writable 6 101")

    def wait(self, seconds):
        import time
        time.sleep(seconds + 0.1)

    def test_the_northbound_database_decides(self):
        self.one.serve("backup connecting 5 100", "backup connecting 5 300")
        self.score(self.one, 9)
        self.score(self.two, 9)
        self.publish(self.two, "final", (5, 101), (5, 10))
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), FAILED)

    def test_nobody_is_promoted_while_the_cluster_does_not_say_where_the_others_are(self):
        self.one.serve("backup connecting 5 100")
        self.score(self.one, 9)
        self.set("away", "attrd_updater")
        self.assertEqual(self.before_promotion(self.one), OK)
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), FAILED)
        self.assertIn("does not say", self.one.said)
        (self.cluster / "away").unlink()
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), OK)

    def test_an_orderly_promotion_asks_nobody(self):
        self.one.serve("backup connecting 5 100")
        self.publish(self.two, "final", (5, 100))
        orderly = {"notify_demote_uname": self.two.name, "notify_slave_uname": self.one.name}
        self.before_promotion(self.one, **orderly)
        self.assertEqual(self.promote(self.one, **orderly), OK)

    # --- without an active ---

    def test_a_first_start_waits_for_nobody(self):
        self.start(self.one)
        self.assertEqual(self.score(self.one), 8)

    def test_some_versions_of_pacemaker_say_otherwise_that_there_is_no_list(self):
        self.set("nosuch", "6")
        self.start(self.one)
        self.assertEqual(self.score(self.one), 8)

    def test_nodes_that_had_full_copies_are_waited_for(self):
        self.set(COPIES, f"{self.one.name} {self.two.name}")
        self.start(self.one)
        self.assertEqual(self.score(self.one), BAN)
        self.publish(self.two, "cut", (0, 0))
        self.monitor(self.one)
        self.assertEqual(self.score(self.one), 8)

    def test_a_cluster_that_does_not_say_who_had_them_is_no_empty_list(self):
        self.set("away", "crm_attribute")
        self.start(self.one)
        self.assertEqual(self.score(self.one), BAN)

    # --- monitors ---

    def test_a_backup_that_follows_has_a_score_and_one_that_is_cut_off_is_banned(self):
        self.start(self.one)
        self.publish(self.two, "active", (5, 100))
        self.one.serve("backup replicating 5 90")
        self.assertEqual(self.monitor(self.one), OK)
        self.assertEqual(self.score(self.one), 9)
        self.one.serve("backup connecting 5 90")
        for _ in range(2):  # once may be a moment
            self.monitor(self.one)
        self.assertEqual(self.score(self.one), BAN)

    def test_a_server_that_died_is_restarted_but_not_while_the_resource_is_unmanaged(self):
        self.start(self.one)
        self.one.kill("sb")
        self.set("is-managed", "false")
        self.assertEqual(self.monitor(self.one), OK)
        self.assertIsNone(self.one.pid("sb"))
        self.one.kill("nb")
        self.assertEqual(self.monitor(self.one), NOT_RUNNING)
        self.set("is-managed", "true")
        self.assertEqual(self.monitor(self.one), OK)
        self.assertIsNotNone(self.one.pid("nb"))
        self.assertIsNotNone(self.one.pid("sb"))

    def test_nothing_is_started_where_nothing_was(self):
        for interval in ("0", "10000"):
            self.assertEqual(self.monitor(self.one, interval=interval), NOT_RUNNING)
        self.assertIsNone(self.one.pid("nb"))

    def test_an_active_that_is_found_keeps_its_role(self):
        self.one.serve("active writable 5 100")
        self.publish(self.two, "live", (5, 90))
        self.assertEqual(self.one.run("monitor"), PROMOTED)
        self.assertEqual(self.score(self.one), 1000)
        self.one.kill("sb")
        self.assertEqual(self.monitor(self.one, role="Promoted", interval="15000"), PROMOTED, self.one.said)
        self.assertIsNotNone(self.one.pid("sb"))

    def test_but_not_beside_another_nor_behind_one(self):
        self.one.serve("active writable 5 100")
        for word, position in (("active", (5, 90)), ("final", (5, 90)), ("live", (6, 1))):
            self.publish(self.two, word, position)
            self.assertEqual(self.one.run("monitor"), PROMOTED)
            self.assertIsNone(self.score(self.one))


class DecisionsInABundle(Decisions):
    """The same with container-attribute-target=host: attributes are the hosts', and all else goes by the bundle's nodes."""
    node_of = staticmethod(lambda host: "bundle-of-" + host)


if __name__ == "__main__":
    main()
