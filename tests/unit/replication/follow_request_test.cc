#include <catch2/catch.hpp>

#include "protocol/json/json_reader.h"
#include "replication/feed_status.h"
#include "replication/stream.h"

namespace tandem {
namespace {

TEST_CASE("a request to follow tells the name of the node, and leaves it out if it has none") {
  FollowRequest request;
  request.server_id = Uuid{1, 2};
  request.name = "host";
  const auto reread = [&] {
    return FollowRequest::from_json(parse_json(to_text(request)).value());
  };
  CHECK_THAT(to_text(request), !Catch::Contains("node"));
  CHECK(reread()->node.empty());
  request.node = "node";
  CHECK(reread()->node == "node");
  std::string wrong = to_text(request);
  wrong.replace(wrong.find(R"("node":"node")"), 13, R"("node":1)");
  CHECK(FollowRequest::from_json(parse_json(wrong).value()).has_error());
}

TEST_CASE("what is asked for and answered survives being written and read") {
  FollowRequest request;
  request.position = {Epoch{2}, 7, Uuid{3, 4}};
  request.server_id = Uuid{1, 2};
  request.buckets = R"({"t":"00"})";
  request.recent = {Uuid{5, 6}, Uuid{7, 8}};
  const auto asked = FollowRequest::from_json(parse_json(to_text(request)).value());
  REQUIRE(asked.has_value());
  CHECK(asked->position == request.position);
  CHECK(asked->buckets == request.buckets);
  CHECK(asked->recent == request.recent);

  FollowReply reply;
  reply.mode = FollowReply::Mode::kRows;
  reply.position = request.position;
  reply.rows = 5;
  reply.epochs = {request.position};
  reply.origin = Uuid{3, 4};
  reply.opened_ms = 77;
  reply.buckets = R"({"t":[1,[0]]})";
  reply.common = request.position;
  const auto answer = FollowReply::from_json(parse_json(to_text(reply)).value());
  REQUIRE(answer.has_value());
  CHECK(answer->rows == 5);
  CHECK(answer->epochs == reply.epochs);
  CHECK(answer->origin == reply.origin);
  CHECK(answer->opened_ms == 77);
  CHECK(answer->buckets == reply.buckets);
  CHECK(answer->common == reply.common);
}

TEST_CASE("the stream has a version, which is 1 of who says none") {
  FollowRequest request;
  request.server_id = Uuid{1, 2};
  const std::string said = R"(,"version":1)";
  CHECK_THAT(to_text(request), Catch::Contains(said));
  std::string text = to_text(FollowReply{});
  const auto read = [&] { return FollowReply::from_json(parse_json(text).value()); };
  CHECK(read().has_value());
  const std::size_t at = text.find(said);
  REQUIRE(at != std::string::npos);
  for (const char* other : {R"(,"version":2)", R"(,"version":0)", R"(,"version":"1")"}) {
    text.replace(at, text.size() - at, std::string(other) + "}");
    REQUIRE(read().has_error());
    CHECK(read().error().tag == "unsupported version");
  }
  text.replace(at, text.size() - at, "}");
  CHECK(read().has_value());
}

TEST_CASE("a backup is known by its node, or by its host if it tells none") {
  FeedStatus feed;
  feed.name = "host";
  CHECK(feed.peer_name() == "host");
  feed.node = "node";
  CHECK(feed.peer_name() == "node");
}

}  // namespace
}  // namespace tandem
