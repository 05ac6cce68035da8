#include "server/writer/writer.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "server/writer/mailbox.h"
#include "tests/support/fake_runner.h"

namespace tandem {
namespace {

TEST_CASE("jobs that gather before the writer runs make one batch") {
  FakeRunner runner;
  std::string log;
  Writer writer([&] { log += '|'; }, [](bool) {});
  writer.submit([&] { log += 'a'; }, runner);
  writer.submit([&] { log += 'b'; }, runner);
  CHECK(log.empty());
  runner.run();
  CHECK(log == "ab|");
}

TEST_CASE("a job that submits a job runs it in the next batch, in order") {
  FakeRunner runner;
  std::string log;
  Writer writer([&] { log += '|'; }, [](bool) {});
  writer.submit(
      [&] {
        log += 'a';
        writer.submit([&] { log += 'c'; }, runner);
        log += 'b';
      },
      runner);
  runner.run();
  CHECK(log == "ab|c|");
}

TEST_CASE("a call on the thread that was lent but has not begun takes the jobs over") {
  FakeRunner runner;
  std::string log;
  Writer writer([&] { log += '|'; }, [](bool) {});
  writer.submit([&] { log += 'a'; }, runner);
  writer.call([&] { log += 'b'; }, runner);
  CHECK(log == "ab|");
  writer.submit([&] { log += 'c'; }, runner);
  runner.run();
  CHECK(log == "ab|c|");
}

TEST_CASE("after a batch the lent thread gets a turn of its own") {
  FakeRunner runner;
  std::string log;
  Writer writer([] {}, [](bool) {});
  int left = 10;
  std::function<void()> again = [&] {
    log += 'w';
    if (--left > 0) writer.submit([&] { again(); }, runner);
  };
  writer.submit([&] { again(); }, runner);
  runner.post([&] { log += 'o'; });
  runner.run();
  CHECK(log == "wowwwwwwwww");
}

TEST_CASE("a mailbox delivers on its own runner, in order, one post a flush") {
  FakeRunner runner;
  Mailbox mailbox(runner);
  std::string log;
  mailbox.put([&] { log += 'a'; });
  mailbox.put([&] { log += 'b'; });
  mailbox.flush();
  CHECK(log.empty());
  mailbox.put([&] { log += 'c'; });
  mailbox.flush();
  runner.run();
  CHECK(log == "abc");
}

TEST_CASE("what a thread does for its own clients it does when it is not the writer any more") {
  FakeRunner runner;
  FakeRunner other;
  std::string log;
  Writer* self = nullptr;
  Writer writer([&] { log += '|'; },
                [&](bool) {
                  // Another thread may write meanwhile.
                  if (log.size() == 2) self->submit([&] { log += 'b'; }, other);
                  other.run();
                  log += '.';
                });
  self = &writer;
  writer.submit([&] { log += 'a'; }, runner);
  runner.run();
  CHECK(log == "a|b|..");
}

TEST_CASE("the runner of the oldest job that waits goes on, or whoever is quicker") {
  FakeRunner runner;
  FakeRunner other;
  std::string log;
  Writer writer([&] { log += '|'; }, [](bool) {});
  writer.submit([&] { writer.submit([&] { log += 'b'; }, other); }, runner);
  runner.run();  // it is free again, and the other has not come
  CHECK(log == "|b|");
  other.run();
  CHECK(log == "|b|");
}

TEST_CASE("a mailbox flushed on its own runner delivers when it is told, but not inside a task") {
  FakeRunner runner;
  Mailbox mailbox(runner);
  std::string log;
  runner.post([&] {
    mailbox.put([&] {
      log += 'a';
      mailbox.put([&] { log += 'c'; });
      mailbox.flush();
      mailbox.deliver(true);
      log += 'b';
    });
    mailbox.flush();
    log += '0';
    mailbox.deliver(true);
    log += 'd';
  });
  runner.run();
  CHECK(log == "0abcd");
}

TEST_CASE(
    "a mailbox flushed by a thread whose runner goes on without it is delivered by the runner") {
  FakeRunner runner;
  Mailbox mailbox(runner);
  std::string log;
  runner.post([&] {
    mailbox.put([&] { log += 'a'; });
    mailbox.flush();
    mailbox.deliver(false);
    log += '0';
  });
  runner.run_one();
  CHECK(log == "0");
  runner.run();
  CHECK(log == "0a");
  mailbox.put([&] { log += 'b'; });
  mailbox.flush();
  runner.run();
  CHECK(log == "0ab");
}

struct FakeStandIn final : Writer::StandIn {
  void begin(Writer::Sessions&) override { turns += '('; }
  void end_turn() override { turns += '.'; }
  void end() override { turns += ')'; }
  std::string turns;
};

TEST_CASE("nobody stands in for longer than some reads take, nor when the disk has answered") {
  FakeRunner disk;
  FakeRunner first;
  FakeRunner second;
  FakeStandIn stand_in;
  std::string log;
  std::function<void()> hang = [] {};
  Writer* self = nullptr;
  Writer writer(
      [&] {
        self->wait_for([&] {
          std::exchange(hang, [] {})();
          return true;
        });
        log += '|';
      },
      [](bool) {}, &stand_in);
  self = &writer;
  const auto submit = [&](char name, std::uint64_t session, bool only_reads) {
    writer.submit([&log, name] { log += name; }, second,
                  Writer::Origin{SessionId{session}, only_reads});
  };
  hang = [&] {
    for (char name = 'a'; name <= 't'; ++name) submit(name, 1, true);
    submit('W', 1, false);
    submit('X', 1, true);
    for (int i = 0; i < Writer::kPatience; ++i) writer.look(first);
    first.run();
    CHECK(log == "abcdefgh");
    second.run_one();
    CHECK(log == "abcdefghijklmnop");
  };
  writer.submit([] {}, disk);
  disk.run();
  second.run();
  CHECK(log == "abcdefghijklmnop|qrst|WX|");
  CHECK(stand_in.turns == "(...)");
}

}  // namespace
}  // namespace tandem
