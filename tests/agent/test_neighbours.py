#!/usr/bin/python3
"""Two resources on one machine, each with files of its own: what is done to one does not touch the other."""
import os
import subprocess

from cluster import AgentTest, NOT_RUNNING, OK, main, wait_until


class Neighbours(AgentTest):
    def both_run(self):
        self.promoted()
        self.two.serve("backup replicating 5 100")

    def untouched(self):
        self.assertEqual(self.neighbours, [self.two.pid(which) for which in ("nb", "sb")])

    def setUp(self):
        super().setUp()
        self.both_run()
        self.neighbours = [self.two.pid(which) for which in ("nb", "sb")]

    def test_a_pidfile_left_behind_with_the_pid_of_a_neighbours_server_is_not_believed(self):
        self.assertEqual(self.one.run("demote"), OK)
        for which, pid in zip(("nb", "sb"), self.neighbours):
            self.one.kill(which)
            (self.one.path / f"ovn{which}_db.ctl").unlink()
            self.one.pidfile(which).write_text(f"{pid}\n")
        self.assertEqual(self.one.run("stop"), OK, self.one.said)
        self.untouched()
        self.assertEqual(self.one.run("monitor"), NOT_RUNNING)

    def test_nor_is_it_killed_when_the_keeper_restarts_its_own(self):
        pid = self.one.pid("nb")
        self.one.pidfile("nb").write_text(f"{self.neighbours[0]}\n")
        os.kill(pid, 9)
        wait_until(lambda: self.one.pid("nb") not in (None, pid, self.neighbours[0]) and
                   self.one.said_by("nb").startswith("active"), "the restart")
        self.untouched()

    def test_a_stop_ends_ones_own_only(self):
        self.assertEqual(self.one.run("stop"), OK)
        wait_until(lambda: not self.one.pid("nb") and not self.one.pid("sb"), "the end")
        self.untouched()
        self.assertEqual(self.one.run("monitor"), NOT_RUNNING)

    def test_a_server_without_a_pidfile_is_found_beside_another_program_that_has_its_words(self):
        control = self.one.path / "ovnnb_db.ctl"
        other = subprocess.Popen(["python3", "-c", "import time; time.sleep(60)", f"--unixctl={control}"])
        try:
            self.one.forget()  # no keeper
            self.one.kill("nb")
            self.one.serve("active writable 5 100")  # its pid comes after the other program's
            self.one.pidfile("nb").unlink()
            control.rename(str(control) + ".away")
            self.assertEqual(self.one.run("stop"), OK, self.one.said)
            wait_until(lambda: all(server.poll() is not None for server in self.one.servers), "the server's end")
            self.assertIsNone(other.poll())
        finally:
            other.kill()
            other.wait()


if __name__ == "__main__":
    main()
