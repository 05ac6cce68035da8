#!/usr/bin/python3
"""Promotions that must not be: each was found to lose acknowledged transactions, or to leave two writers."""
import time

from cluster import AgentTest, BAN, COPIES, FAILED, OK, POSITION, PROMOTED_MONITOR, main, wait_until

STOCK_MASTER = "OVN_REPL_INFO"


class Refusals(AgentTest):
    def ours(self, word, round_number, nb, sb=None, sync="11"):
        """The other instance, of our format, says WORD in answer to that question."""
        self.publish(self.two, word, nb, sb, "2", round_number, sync, "-", "-")

    def answering(self, nb, sb=None, sync="11", word="final", after_s=0):
        """The other instance answers each question so long after it."""
        sb = sb or nb
        self.others(f"""
            round=$(echo "$1" | cut -d, -f8)
            case $1 in final,*,{self.one.name},2,*)
                (sleep {after_s}; echo "{word},{nb[0]},{nb[1]},{sb[0]},{sb[1]},{self.two.name},2,$round,{sync},-,-" \\
                    >"$CLUSTER/{POSITION}/{self.two.host}") {"&" if after_s else ""} ;;
            esac
        """)

    # --- scores ---

    def test_a_copy_that_starts_is_banned_so_that_no_preference_promotes_it(self):
        self.set(COPIES, f"{self.one.name} {self.two.name}")
        self.assertEqual(self.one.run("start"), OK)
        self.assertEqual(self.score(self.one), BAN)

    def test_a_copy_that_was_stopped_stays_banned(self):
        self.start(self.one)
        self.assertEqual(self.one.run("stop"), OK)
        self.assertEqual(self.score(self.one), BAN)

    def test_a_copy_that_was_refused_is_refused_again_when_a_preference_chooses_it_again(self):
        self.one.serve("backup connecting 5 100")
        self.answering((5, 150))
        self.score(self.two, 200)
        for _ in range(2):
            self.before_promotion(self.one)
            self.assertEqual(self.promote(self.one), FAILED)
            self.assertEqual(self.score(self.one), BAN)

    def test_a_demoted_node_that_still_runs_is_a_candidate(self):
        """A preferred node that was away starts, and the active is demoted for it in the same transition."""
        self.one.serve("backup connecting 5 100")
        self.publish(self.two, "final", (5, 150))
        self.before_promotion(self.one, notify_demote_uname=self.two.name, notify_slave_uname="")
        self.assertEqual(self.promote(self.one, notify_demote_uname=self.two.name, notify_slave_uname=""), FAILED)
        self.assertIn(f"where the active on {self.two.name} ended", self.one.said)

    def test_an_orderly_move_does_not_go_by_what_the_active_said_before_it_was_promoted(self):
        """Its words have not arrived since; it was promoted, and has written."""
        self.start(self.one)
        self.one.serve("backup connecting 5 100")
        self.publish(self.two, "final", (5, 100))
        self.before_promotion(self.one, notify_promote_uname=self.two.name)
        orderly = {"notify_demote_uname": self.two.name, "notify_slave_uname": self.one.name}
        self.answering((6, 110))
        self.before_promotion(self.one, **orderly)
        self.assertEqual(self.promote(self.one, **orderly), FAILED)
        self.assertIn("behind", self.one.said)

    def test_an_orderly_move_refuses_a_laggard_however_often_the_promotion_before_was_notified(self):
        self.start(self.one)
        self.one.serve("backup connecting 6 90")
        self.publish(self.two, "final", (5, 80))
        for _ in range(3):
            self.before_promotion(self.one, notify_promote_uname=self.two.name)
        self.publish(self.two, "stopped", (6, 100))
        orderly = {"notify_demote_uname": self.two.name, "notify_stop_uname": self.two.name}
        self.before_promotion(self.one, **orderly)
        self.assertEqual(self.promote(self.one, **orderly), FAILED)
        self.assertIn(f"where the active on {self.two.name} ended", self.one.said)

    def test_an_orderly_move_refuses_a_laggard(self):
        self.one.serve("backup connecting 5 100", "backup connecting 5 99")
        self.publish(self.two, "stopped", (5, 100), (5, 100))
        orderly = {"notify_demote_uname": self.two.name, "notify_stop_uname": self.two.name}
        self.before_promotion(self.one, **orderly)
        self.assertEqual(self.promote(self.one, **orderly), FAILED)

    def test_a_copy_that_is_restarted_in_the_same_transition_is_a_candidate(self):
        """It was in the way of nothing, but its monitor had failed when the active died."""
        self.one.serve("backup connecting 5 100")
        self.ours("cut", "-", (5, 150), sync="00")
        recovered = {"notify_stop_uname": self.two.name, "notify_start_uname": self.two.name}
        self.before_promotion(self.one, **recovered)
        self.assertEqual(self.promote(self.one, **recovered), FAILED)
        self.assertIn(f"behind {self.two.name}", self.one.said)

    def test_scores_of_backups_are_below_those_of_a_stock_agents_active(self):
        self.start(self.one)
        self.one.serve("backup replicating 5 100")
        self.monitor(self.one)
        self.assertLess(self.score(self.one), 10)
        self.assertGreater(self.score(self.one), 5)

    def test_a_backup_that_does_not_follow_a_stock_active_is_banned(self):
        self.start(self.one)
        self.one.serve("backup connecting 5 100")
        for _ in range(2):
            self.monitor(self.one, notify_master_uname=self.two.name)
        self.assertEqual(self.score(self.one), BAN)

    def test_stock_agents_are_told_who_is_active_before_they_are_notified(self):
        self.one.serve("backup connecting 5 100")
        self.score(self.two, 5)
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), OK, self.one.said)
        self.assertEqual((self.cluster / STOCK_MASTER).read_text(), self.one.name + "\n")

    def test_stock_agents_are_not_waited_for(self):
        self.one.serve("backup connecting 5 100")
        self.score(self.two, 5)
        began = time.monotonic()
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), OK, self.one.said)
        self.assertLess(time.monotonic() - began, 1.5)

    # --- comparison ---

    def whole(self, nb, sb):
        """This copy was in sync, until the active died."""
        self.start(self.one)
        self.one.serve(f"backup replicating {nb}", f"backup replicating {sb}")
        self.publish(self.two, "live", (5, 1))
        self.monitor(self.one)
        self.one.serve(f"backup connecting {nb}", f"backup connecting {sb}")

    def test_one_northbound_record_does_not_outweigh_a_broken_southbound_copy(self):
        self.whole("5 100", "5 9000")
        self.answering((5, 101), (5, 10), sync="10")
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), OK, self.one.said)

    def test_a_full_copy_of_the_list_is_whole_though_its_machine_was_started_anew(self):
        self.set(COPIES, self.one.name)
        self.one.say("nb", "backup idle 5 100")
        self.one.say("sb", "backup idle 5 9000")
        self.start(self.one)
        self.one.serve("backup connecting 5 100", "backup connecting 5 9000")
        self.answering((5, 101), (5, 10), sync="10")
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), OK, self.one.said)

    def test_a_copy_that_is_not_in_the_list_is_not_whole(self):
        self.set(COPIES, "another")
        self.start(self.one)
        self.one.serve("backup connecting 5 100", "backup connecting 5 9000")
        self.answering((5, 101), (5, 10), sync="11")
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), FAILED)

    def test_a_copy_whose_file_is_gone_is_not_whole_though_it_is_in_the_list(self):
        self.set(COPIES, self.one.name)
        self.one.say("nb", "backup idle 0 0")
        self.one.say("sb", "backup idle 5 900")
        self.assertEqual(self.one.run("start"), OK)
        self.assertEqual(self.published(self.one)[8], "01")

    def test_a_database_that_is_cut_off_after_the_other_one_says_so_at_once(self):
        """An active whose disk hangs would otherwise give its role to a copy that lacks something."""
        self.start(self.one)
        self.ours("active", "-", (5, 100))
        self.one.serve("backup replicating 5 100")
        self.monitor(self.one)
        self.one.serve("backup connecting 5 100", "backup replicating 5 100")
        self.monitor(self.one)
        self.assertEqual(self.published(self.one)[8], "11", "a single look counts for nothing")
        self.one.serve("backup connecting 5 100", "backup replicating 5 100")
        self.monitor(self.one)
        self.assertEqual(self.published(self.one)[8], "01")
        self.one.serve("backup connecting 5 100")
        self.monitor(self.one)
        self.assertEqual(self.published(self.one)[8], "00")

    def test_a_full_copy_of_the_list_waits_for_those_that_cannot_be_promoted_now(self):
        self.set(COPIES, f"{self.one.name} {self.two.name}")
        self.start(self.one)
        self.one.serve("backup connecting 5 100")
        self.ours("silent", "-", (5, 150))
        self.before_promotion(self.one)
        self.assertEqual(self.score(self.one), BAN)

    def test_a_full_copy_of_the_list_is_not_preferred_to_a_stock_one(self):
        """The list is of before the stock server was active."""
        self.set(COPIES, f"{self.one.name} {self.two.name}")
        self.start(self.one)
        self.one.serve("backup connecting 5 100")
        self.score(self.two, 5)
        self.before_promotion(self.one, notify_promote_uname=self.two.name)
        self.assertEqual(self.score(self.one), BAN)

    def test_a_half_synced_copy_that_is_ahead_in_both_wins(self):
        self.whole("5 100", "5 9000")
        self.answering((5, 101), (5, 9001), sync="10")
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), FAILED)

    def test_an_orderly_promotion_needs_all_of_both_databases(self):
        """A copy that was in sync, and has more in one of them, lacks something all the same."""
        self.whole("5 100", "5 9000")
        self.publish(self.two, "final", (5, 150), (5, 8000))
        orderly = {"notify_demote_uname": self.two.name, "notify_slave_uname": self.one.name}
        self.before_promotion(self.one, **orderly)
        self.assertEqual(self.promote(self.one, **orderly), FAILED)
        self.assertIn(f"where the active on {self.two.name} ended", self.one.said)

    def test_in_an_orderly_change_nobody_is_asked_by_one_that_has_everything(self):
        """Clients wait meanwhile: the chosen one looks once where the former active ended, and once more in the promotion."""
        self.one.serve("backup connecting 5 100")
        self.publish(self.two, "final", (5, 100))
        orderly = {"notify_demote_uname": self.two.name, "notify_slave_uname": self.one.name}
        self.before_promotion(self.one, **orderly)
        self.assertEqual(self.one.calls(), ["attrd_updater -n position-ovndb_servers --query --all"])
        self.assertEqual(self.promote(self.one, **orderly), OK, self.one.said)

    def test_nor_does_another_one_say_anything_unless_it_is_asked(self):
        self.start(self.one)
        self.one.serve("backup replicating 5 100")
        orderly = {"notify_type": "pre", "notify_operation": "promote", "notify_promote_uname": self.two.name,
                   "notify_demote_uname": "ctl3", "notify_slave_uname": f"{self.one.name} {self.two.name}"}
        before = self.published(self.one)
        self.ours("live", "-", (5, 100))
        self.assertEqual(self.one.run("notify", **orderly), OK)
        self.one.settle()
        self.assertEqual(self.published(self.one), before)
        self.ours("final", "77", (5, 99))
        wait_until(lambda: self.published(self.one)[7] == "77", "the answer")

    def test_a_demotion_does_not_look_at_the_others(self):
        self.one.serve("active writable 5 100")
        self.assertEqual(self.one.run("demote", notify_promote_uname=self.two.name), OK)
        self.assertEqual([call for call in self.one.calls() if "--query" in call], [])

    def test_a_backup_that_replicates_was_in_sync_before_any_monitor(self):
        self.start(self.one)
        self.one.serve("backup replicating 5 100")
        self.before_promotion(self.two, on_node=self.one.name)
        self.assertEqual(self.one.run("notify", notify_type="pre", notify_operation="promote",
                                      notify_promote_uname=self.two.name, notify_slave_uname=self.one.name), OK)
        self.assertEqual(self.published(self.one)[8], "11")

    # --- questions and answers ---

    def test_promote_looks_again_after_the_notifications(self):
        self.one.serve("backup connecting 5 100")
        self.answering((5, 100))
        self.before_promotion(self.one)
        round_number = self.published(self.one)[7]
        self.ours("final", round_number, (5, 150))
        self.assertEqual(self.promote(self.one), FAILED)
        self.assertIn(f"behind {self.two.name}", self.one.said)

    def test_an_answer_to_an_earlier_question_is_none(self):
        self.one.serve("backup connecting 5 100")
        self.ours("final", "earlier", (5, 100))
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), FAILED)
        self.assertIn(f"{self.two.name} did not say", self.one.said)

    def test_a_backup_that_never_answers_is_waited_for_once(self):
        self.one.serve("backup connecting 5 100")
        self.ours("live", "-", (5, 100))
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), FAILED)
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), OK, self.one.said)
        self.assertIn(f"{self.two.name} did not say", self.one.said)

    def test_but_not_beyond_a_copy_that_was_ahead_when_it_last_said_so(self):
        self.one.serve("backup connecting 5 100")
        self.ours("live", "-", (5, 101))
        for _ in range(2):
            self.before_promotion(self.one)
            self.assertEqual(self.promote(self.one), FAILED)

    def test_a_silent_backup_that_has_said_nothing_or_was_not_in_sync_delays_a_promotion_once(self):
        """Its agent's program may be missing."""
        self.one.serve("backup connecting 5 100")
        for say in (lambda: None, lambda: self.ours("cut", "-", (5, 90), sync="10")):
            say()
            self.before_promotion(self.one)
            self.assertEqual(self.promote(self.one), OK, self.one.said)
            self.one.settle()
            self.assertEqual(self.one.run("demote"), OK)

    def test_a_backup_answers_a_question_that_comes_late(self):
        """Pacemaker has notified this one long before the chosen one."""
        self.start(self.one)
        self.one.serve("backup connecting 5 100")
        self.ours("cut", "-", (5, 100))
        self.assertEqual(self.one.run("notify", notify_type="pre", notify_operation="promote",
                                      notify_promote_uname=self.two.name, notify_slave_uname=self.one.name), OK)
        self.one.settle()
        self.assertNotEqual(self.published(self.one)[7], "77")
        self.ours("final", "77", (5, 100))
        wait_until(lambda: self.published(self.one)[7] == "77", "the answer")

    def test_but_not_after_its_own_promotion(self):
        self.start(self.one)
        self.one.serve("backup connecting 5 100")
        self.ours("cut", "-", (5, 100))
        self.one.run("notify", notify_type="pre", notify_operation="promote", notify_promote_uname=self.two.name,
                     notify_slave_uname=self.one.name)
        (self.cluster / POSITION / self.two.host).unlink()
        self.assertEqual(self.promote(self.one, notify_slave_uname=""), OK, self.one.said)
        self.one.settle()
        self.ours("final", "77", (5, 100))
        wait_until(lambda: len(self.agents()) <= 1, "all but the keeper to end")
        self.assertEqual(self.published(self.one)[0], "active")

    def test_a_backup_repeats_the_number_of_the_question(self):
        self.one.serve("backup connecting 5 100")
        self.ours("final", "42", (5, 100))
        self.before_promotion(self.two, **{"on_node": self.one.name})
        self.assertEqual(self.one.run("notify", notify_type="pre", notify_operation="promote",
                                      notify_promote_uname=self.two.name, notify_slave_uname=self.one.name), OK)
        self.assertEqual(self.published(self.one)[7], "42")

    def test_what_is_published_has_a_format_and_is_read_by_former_agents(self):
        """They read as far as the node's name."""
        self.start(self.one)
        fields = self.published(self.one)
        self.assertEqual(fields[:6], ["cut", "0", "0", "0", "0", self.one.name])
        self.assertEqual(fields[6], "2")

    def test_the_answer_of_a_former_agent_counts(self):
        self.one.serve("backup connecting 5 100")
        self.publish(self.two, "final", (5, 150))
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), FAILED)
        self.assertIn(f"behind {self.two.name}", self.one.said)

    def test_a_promotion_that_finds_no_servers_leaves_the_copy_a_candidate(self):
        """Pacemaker has begun to stop them: no epoch is opened."""
        self.start(self.one)
        self.one.serve("backup connecting 5 100")
        self.assertEqual(self.one.run("stop"), OK)
        self.assertEqual(self.promote(self.one), FAILED)
        self.assertIn("the servers are gone", self.one.said)
        self.one.say("nb", "backup idle 5 100")
        self.one.say("sb", "backup idle 5 100")
        self.start(self.one)
        self.before_promotion(self.one, notify_promote_uname=self.two.name)
        self.assertEqual(self.published(self.one)[0], "final")

    def test_the_server_is_told_the_least_position_of_its_promotion(self):
        self.one.serve("backup connecting 5 100")
        self.answering((5, 100))
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), OK)
        self.assertIn("tandem/promote --force --above 5 --least 5:100", self.one.asked("nb"))

    def test_a_promotion_opens_no_epoch_that_another_one_may_have_opened_out_of_sight(self):
        """That one was cut off in the middle of it: its copy and this one are then told apart by their epochs."""
        self.one.serve("backup connecting 5 100")
        self.ours("live", "-", (5, 100))
        self.before_promotion(self.one, notify_promote_uname=self.two.name)
        self.answering((5, 100))
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), OK, self.one.said)
        self.assertIn("tandem/promote --force --above 6 --least 5:100", self.one.asked("nb"))

    def test_an_answer_says_which_epochs_may_have_been_opened(self):
        """The one that asks may not have been there when another was promoted, who is cut off now."""
        self.one.serve("backup connecting 5 100")
        self.before_promotion(self.one, notify_promote_uname=self.two.name)
        self.assertEqual(self.published(self.one)[11:], ["6", "6"])

    def test_a_promotion_opens_no_epoch_that_a_witness_has_seen_taken(self):
        self.one.serve("backup connecting 5 100")
        self.ours("silent", "-", (5, 90), sync="00")
        self.set(f"{POSITION}/{self.two.host}", f"silent,5,90,5,90,{self.two.name},2,-,00,-,-,7,9")
        self.promote(self.one)
        self.assertIn("tandem/promote --force --above 7 --least 5:100", self.one.asked("nb"))
        self.assertIn("tandem/promote --force --above 9 --least 5:100", self.one.asked("sb"))

    def test_epochs_that_were_heard_of_are_not_forgotten_with_their_node(self):
        self.start(self.one)
        self.one.serve("backup replicating 5 100")
        self.ours("active", "-", (8, 100))
        self.monitor(self.one)
        for action in ("stop", "start"):
            self.assertEqual(self.one.run(action), OK, self.one.said)
        self.one.serve("backup connecting 5 100")
        (self.cluster / POSITION / self.two.host).unlink()
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), OK, self.one.said)
        self.assertIn("tandem/promote --force --above 8 --least 5:100", self.one.asked("nb"))

    def test_a_word_of_a_monitor_behind_the_answer_is_an_answer(self):
        self.one.serve("backup connecting 5 100")
        self.answering((5, 100), word="cut")
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), OK, self.one.said)

    def test_a_node_that_runs_is_waited_for_though_its_last_word_is_that_it_was_stopped(self):
        self.one.serve("backup connecting 5 100")
        self.ours("stopped", "-", (5, 100))
        self.answering((5, 150), after_s=0.5)
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), FAILED)
        self.assertIn(f"behind {self.two.name}", self.one.said)

    def test_a_node_that_starts_in_the_same_transition_is_asked(self):
        self.one.serve("backup connecting 5 100")
        self.ours("cut", "-", (5, 100))
        self.answering((5, 150), after_s=0.5)
        starts = {"notify_slave_uname": self.one.name, "notify_start_uname": self.two.name}
        self.before_promotion(self.one, **starts)
        self.assertEqual(self.promote(self.one, **starts), FAILED)
        self.assertIn(f"behind {self.two.name}", self.one.said)

    def test_dots_in_names_of_nodes_are_dots(self):
        self.one.serve("backup connecting 5 100")
        self.set(f"{POSITION}/ctlx1", "final,5,150,5,150,ctlx1")
        self.assertEqual(self.promote(self.one, notify_slave_uname="ctl.1"), FAILED)
        self.assertIn("behind ctlx1", self.one.said)

    def test_a_backup_that_replicates_by_half_leaves_the_active_too(self):
        self.one.serve("backup replicating 5 100", "backup connecting 5 100")
        self.before_promotion(self.two, on_node=self.one.name)
        self.before_promotion(self.one, notify_promote_uname=self.two.name)
        self.assertTrue(any("--depose" in line for line in self.one.asked("nb")), self.one.asked("nb"))

    def test_a_backup_does_not_go_back_to_an_active_of_an_earlier_epoch(self):
        """It was promoted later itself; the other one stood still, and does not know yet."""
        self.start(self.one)
        self.one.serve("backup connecting 7 150")
        self.ours("active", "-", (6, 200))
        self.monitor(self.one)
        self.assertIn(f"tandem/demote tcp:192.0.2.10:6641 --epoch 7 --successor {self.two.name}", self.one.asked("nb"))

    def test_a_copy_that_starts_does_not_follow_before_its_epoch_is_known(self):
        """That active was deposed, and does not know it: its contents would replace these."""
        self.publish(self.two, "active", (5, 100), None, "2", "-", "11", "-", "-")
        for which in ("nb", "sb"):
            self.one.say(which, "backup idle 7 150")
        self.assertEqual(self.one.run("start", notify_master_uname=self.two.name), OK, self.one.said)
        self.assertNotIn("sync-from-addr=192.0.2.10", " ".join(self.one.calls()))
        self.assertIn(f"tandem/demote tcp:192.0.2.10:6641 --epoch 7 --successor {self.two.name}", self.one.asked("nb"))

    # --- without an active ---

    def test_what_was_waited_for_without_an_active_does_not_count_when_there_is_one(self):
        """Its word has not arrived when the next monitor looks, and a preference would have this copy promoted."""
        impatient = {"copies_wait": "0"}
        self.start(self.one, impatient)
        self.one.serve("backup connecting 5 100")
        self.publish(self.two, "final", (5, 150))
        self.monitor(self.one, impatient)
        self.assertEqual(self.score(self.one), 1)
        self.one.run("notify", impatient, notify_type="post", notify_operation="promote",
                     notify_promote_uname=self.two.name, notify_slave_uname=f"{self.one.name} {self.two.name}")
        self.one.settle()
        orderly = {"notify_demote_uname": self.two.name, "notify_slave_uname": self.one.name}
        self.publish(self.two, "final", (6, 151))
        self.before_promotion(self.one, **orderly)
        self.assertEqual(self.promote(self.one, impatient, **orderly), FAILED)
        self.assertIn(f"where the active on {self.two.name} ended", self.one.said)

    def test_a_backup_that_was_not_there_for_a_promotion_leaves_the_list(self):
        """Its last word may be of long ago."""
        self.set(COPIES, f"{self.one.name} {self.two.name} third")
        self.start(self.one)
        self.one.serve("backup connecting 5 100")
        self.answering((5, 100))
        self.set(f"{POSITION}/third", "final,5,90,5,90,third,2,old,11,-,-")
        self.before_promotion(self.one)
        self.assertEqual(self.promote(self.one), OK, self.one.said)
        self.monitor(self.one, **PROMOTED_MONITOR)
        self.assertEqual((self.cluster / COPIES).read_text(), f"{self.one.name} {self.two.name}\n")

    def test_a_copy_that_was_not_in_the_list_is_never_promoted_by_itself(self):
        impatient = {"copies_wait": "0"}
        self.set(COPIES, self.two.name)
        self.start(self.one, impatient)
        self.one.serve("backup connecting 5 90")
        for _ in range(3):
            self.monitor(self.one, impatient)
        self.assertEqual(self.score(self.one), BAN)
        self.monitor(self.one, impatient | {"promote_stale": "yes"})
        self.assertEqual(self.score(self.one), 8)

    def test_an_active_that_is_found_and_was_not_in_the_list_is_not_adopted(self):
        self.set(COPIES, self.two.name)
        self.one.serve("active writable 5 100")
        self.one.run("monitor")
        self.assertIsNone(self.score(self.one))

    def test_the_list_is_kept_when_the_cluster_does_not_say_who_follows(self):
        self.one.serve("active writable 5 100")
        self.one.run("monitor")
        self.set(COPIES, f"{self.one.name} {self.two.name}")
        self.set("away", "attrd_updater")
        self.monitor(self.one, **PROMOTED_MONITOR)
        self.assertEqual((self.cluster / COPIES).read_text(), f"{self.one.name} {self.two.name}\n")

    def test_the_list_is_what_follows(self):
        self.one.serve("active writable 5 100")
        self.one.run("monitor")
        self.publish(self.two, "live", (5, 100))
        self.monitor(self.one, **PROMOTED_MONITOR)
        self.assertEqual((self.cluster / COPIES).read_text(), f"{self.one.name} {self.two.name}\n")

    def test_the_list_is_written_again_when_somebody_has_lost_it(self):
        self.one.serve("active writable 5 100")
        self.one.run("monitor")
        self.publish(self.two, "live", (5, 100))
        for _ in range(2):
            self.monitor(self.one, **PROMOTED_MONITOR)
            self.assertEqual((self.cluster / COPIES).read_text(), f"{self.one.name} {self.two.name}\n")
            (self.cluster / COPIES).unlink()

    # --- after a demotion that nobody completed ---

    def test_an_active_that_stepped_down_early_compares_before_it_returns(self):
        self.one.serve("active writable 5 100")
        self.one.run("monitor")
        self.one.run("notify", notify_type="pre", notify_operation="demote", notify_demote_uname=self.one.name)
        self.assertIn("backup", self.one.said_by("nb"))
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), 8, "the demotion may still come")
        time.sleep(5)
        self.publish(self.two, "active", (6, 1))
        self.assertIn(self.monitor(self.one, **PROMOTED_MONITOR), (8, 9))
        self.assertIn("backup", self.one.said_by("nb"))
        self.publish(self.two, "live", (5, 100))
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), 8, self.one.said)
        self.assertIn("active", self.one.said_by("nb"))


if __name__ == "__main__":
    main()
