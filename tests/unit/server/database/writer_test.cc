#include "server/database/writer.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "server/database/mailbox.h"
#include "tests/support/fake_runner.h"

namespace tandem {
namespace {

TEST_CASE("jobs that gather before the writer runs make one batch") {
  FakeRunner runner;
  std::string log;
  Writer writer([&] { log += '|'; });
  writer.submit([&] { log += 'a'; }, runner);
  writer.submit([&] { log += 'b'; }, runner);
  CHECK(log.empty());
  runner.run();
  CHECK(log == "ab|");
}

TEST_CASE("a job that submits a job runs it in the next batch, in order") {
  FakeRunner runner;
  std::string log;
  Writer writer([&] { log += '|'; });
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
  Writer writer([&] { log += '|'; });
  writer.submit([&] { log += 'a'; }, runner);
  writer.call([&] { log += 'b'; }, runner);
  CHECK(log == "ab|");
  writer.submit([&] { log += 'c'; }, runner);
  runner.run();
  CHECK(log == "ab|c|");
}

TEST_CASE("after a few batches in a row the lent thread gets a turn of its own") {
  FakeRunner runner;
  std::string log;
  Writer writer([] {});
  int left = 10;
  std::function<void()> again = [&] {
    log += 'w';
    if (--left > 0) writer.submit([&] { again(); }, runner);
  };
  writer.submit([&] { again(); }, runner);
  runner.post([&] { log += 'o'; });
  runner.run();
  CHECK(log == "wwwwowwwwww");
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

TEST_CASE("a mailbox flushed on its own runner delivers at once, but not inside its own tasks") {
  FakeRunner runner;
  Mailbox mailbox(runner);
  std::string log;
  runner.post([&] {
    mailbox.put([&] {
      log += 'a';
      mailbox.put([&] { log += 'c'; });
      mailbox.flush();
      log += 'b';
    });
    mailbox.flush();
    log += 'd';
  });
  runner.run();
  CHECK(log == "abcd");
}

}  // namespace
}  // namespace tandem
