#!/usr/bin/python3
"""Nodes that run the stock agent where ours ran before: what ours said when it was stopped is still there."""
from cluster import AgentTest, BAN, PROMOTED_MONITOR, main


class StockAgent(AgentTest):
    def test_the_active_bans_no_stock_agent_where_ours_was_stopped_before(self):
        self.promoted()
        self.publish(self.two, "stopped", (5, 100))
        self.score(self.two, 5)
        self.monitor(self.one, **PROMOTED_MONITOR)
        self.assertEqual(self.score(self.two), 5)

    def test_but_ours(self):
        self.promoted()
        self.publish(self.two, "stopped", (5, 100))
        self.score(self.two, 9)
        self.monitor(self.one, **PROMOTED_MONITOR)
        self.assertEqual(self.score(self.two), BAN)

    def test_a_backup_that_is_cut_off_from_a_stock_active_is_not_compared_with_what_was_stopped_there(self):
        self.start(self.one)
        self.one.serve("backup connecting 5 100")
        self.publish(self.two, "stopped", (5, 90))
        self.score(self.two, 10)
        for _ in range(2):
            self.monitor(self.one, notify_master_uname=self.two.name)
        self.assertEqual(self.score(self.one), BAN)


if __name__ == "__main__":
    main()
