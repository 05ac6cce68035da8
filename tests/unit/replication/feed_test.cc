#include "replication/feed.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

struct FakePort final : FeedPort {
  void send(SharedText text) override { sent += *text + ' '; }
  void send(std::unique_ptr<TextSource> message) override {
    if (!holds) return make(*message);
    held = std::move(message);
  }
  void make(TextSource& message) {
    while (const SharedText piece = message.next()) sent += *piece;
    sent += ' ';
  }
  std::size_t queued_bytes() const override { return queued; }
  std::string sent;
  std::size_t queued = 0;
  bool holds = false;  ///< messages that are made as they leave wait in `held`
  std::unique_ptr<TextSource> held;
};

/// Messages "rows<n>", ..., "rows1", each in two pieces.
struct FakeRows final : FeedRows {
  struct Message final : TextSource {
    explicit Message(FakeRows& r) : rows(r) { rows.making = 2; }
    SharedText next() override {
      if (rows.making == 0) return nullptr;
      return shared_text(rows.making-- == 2 ? "rows" : std::to_string(rows.left--));
    }
    FakeRows& rows;
  };
  explicit FakeRows(int n) : left(n) {}
  std::unique_ptr<TextSource> next() override {
    return left == 0 ? nullptr : std::make_unique<Message>(*this);
  }
  bool is_making() const override { return making > 0; }
  int left;
  int making = 0;  ///< pieces that are to come
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

TEST_CASE("a message of rows begins when the last one has been made, and records follow the last") {
  Fixture f;
  f.port.holds = true;
  f.feed.compare();
  f.feed.send_rows(std::make_unique<FakeRows>(2));
  f.feed.on_record(text("1"));
  f.feed.on_writable();
  for (int message = 0; message < 2; ++message) {
    const std::unique_ptr<TextSource> held = std::move(f.port.held);
    REQUIRE(held != nullptr);
    f.port.make(*held);
    f.feed.on_writable();
  }
  CHECK(f.port.held == nullptr);
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
