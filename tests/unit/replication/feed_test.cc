#include "replication/feed.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

struct FakePort final : FeedPort {
  void send(SharedText text) override { sent += *text + ' '; }
  std::size_t queued_bytes() const override { return queued; }
  std::string sent;
  std::size_t queued = 0;
};

struct FakeRows final : FeedRows {
  explicit FakeRows(int n) : left(n) {}
  std::optional<std::string> next() override {
    if (left == 0) return std::nullopt;
    return "rows" + std::to_string(left--);
  }
  int left;
};

StreamTextRef text(const std::string& text, std::size_t bytes = 10) {
  return std::make_shared<const StreamText>([text] { return text; }, bytes);
}

struct Fixture {
  FakePort port;
  Feed feed{"db", port};
};

constexpr std::size_t kFull = (std::size_t{1} << 20) + 1;

TEST_CASE("a backup that resumes is sent the records after its position, then live ones") {
  Fixture f;
  f.feed.resume({text("1"), text("2")});
  f.feed.on_record(text("3"));
  CHECK(f.port.sent == "1 2 3 ");
}

TEST_CASE("records wait while rows are compared and sent") {
  Fixture f;
  f.feed.compare();
  f.feed.on_record(text("1"));
  CHECK(f.port.sent.empty());
  f.feed.send_rows(std::make_unique<FakeRows>(2));
  CHECK(f.port.sent == "rows2 rows1 1 ");
}

TEST_CASE("what the connection does not take waits until it has room") {
  Fixture f;
  f.port.queued = kFull;
  f.feed.resume({text("1")});
  f.feed.on_record(text("2"));
  CHECK(f.port.sent.empty());
  f.port.queued = 0;
  f.feed.on_writable();
  CHECK(f.port.sent == "1 2 ");
}

TEST_CASE("a backup that falls too far behind is told that it has lost the thread, once") {
  Fixture f;
  f.feed.resume({});
  f.port.queued = kFull;
  for (int i = 0; i < 9; ++i) f.feed.on_record(text("x", std::size_t{8} << 20));
  f.port.queued = 0;
  f.feed.on_writable();
  f.feed.on_record(text("y"));
  CHECK(f.port.sent == R"({"method":"tandem_lost","id":null,"params":["db"]} )");
}

TEST_CASE("a long backlog is no reason to lose a backup") {
  Fixture f;
  f.port.queued = kFull;
  f.feed.resume(std::vector<StreamTextRef>(20, text("x", std::size_t{8} << 20)));
  f.feed.on_record(text("y"));
  f.port.queued = 0;
  f.feed.on_writable();
  CHECK(f.port.sent.find("tandem_lost") == std::string::npos);
}

}  // namespace
}  // namespace tandem
