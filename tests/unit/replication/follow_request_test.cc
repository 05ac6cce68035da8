#include <catch2/catch.hpp>

#include "replication/feed_status.h"
#include "replication/stream.h"

namespace tandem {
namespace {

TEST_CASE("a request to follow tells the name of the node, and leaves it out if it has none") {
  FollowRequest request;
  request.server_id = Uuid{1, 2};
  request.name = "host";
  CHECK_FALSE(request.to_json().contains("node"));
  CHECK(FollowRequest::from_json(request.to_json())->node.empty());
  request.node = "node";
  CHECK(FollowRequest::from_json(request.to_json())->node == "node");
  json::object wrong = request.to_json();
  wrong["node"] = 1;
  CHECK(FollowRequest::from_json(wrong).has_error());
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
