#pragma once

#include <string>

#include "tests/unit/server/session/session_fixture.h"

namespace tandem::session_test {

using Op = test::FakeFileSystem::Op;

inline constexpr const char* kSelect =
    R"(["D",{"op":"select","table":"T","where":[],"columns":["n"]}])";
inline constexpr const char* kNoId = R"("00000000-0000-0000-0000-000000000000")";

inline std::string insert(int n) {
  return R"(["D",{"op":"insert","table":"T","row":{"n":)" + std::to_string(n) + "}}]";
}

/// The client's answers since it was last looked at, as one text.
inline std::string taken(Client& client) {
  std::string all;
  for (const std::string& text : client.connection.take()) all += text;
  return all;
}

/// The reply to `id` in a text of replies.
inline bool has_reply(const std::string& text, const std::string& id) {
  return text.find("\"id\":" + id + ",") != std::string::npos;
}

/// A site with one row, 1, whose disk hangs when a writer inserts 2.
struct HungSite : Site {
  explicit HungSite(std::optional<std::size_t> history_bytes = {}) : Site({}, history_bytes) {
    writer.ask("transact", insert(1));
  }

  /// Does `what` while the disk hangs, once that has been noticed.
  template <class What>
  void hang(What&& what) {
    hang(
        Op::kWrite, [this] { writer.say("transact", insert(2), "2"); }, what);
  }
  /// The same in another call of the disk, to which `cause` leads.
  template <class Cause, class What>
  void hang(Op op, Cause&& cause, What&& what) {
    files.during_next(op, [this, what] {
      notice();
      what();
    });
    cause();
    run();
    REQUIRE_FALSE(files.is_awaited(op));
    CHECK_FALSE(server.look(reader));
  }
  void notice() {
    for (int i = 0; i < Writer::kPatience; ++i) {
      CHECK(reader.idle());  // any disk takes a moment
      CHECK(server.look(reader));
    }
    CHECK_FALSE(reader.idle());
    reader.run();
  }
  /// From now on commits wait for this backup, which has what there is.
  void hold_commits(Client& backup) {
    backup.follow(kBackup, position());
    backup.acknowledge(position());
    server.call([this] { server.set_sync({1, 60'000, CommitGate::Fallback::kBlock}); }, shard);
    run();
  }
  /// Lets who stands in run what was submitted: it is the shard's turn, in its other thread.
  void serve() { shard.run(); }

  Client writer{*this};
};

}  // namespace tandem::session_test
