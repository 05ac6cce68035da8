#include "replication/follower_places.h"

#include <catch2/catch.hpp>
#include <vector>

namespace tandem {
namespace {

using Proof = PlaceHolder::Proof;
using Index = std::optional<std::size_t>;

constexpr PlaceHolder silent(std::string_view host, std::int64_t silent_ms,
                             Proof proof = Proof::kNone) {
  return {host, proof, silent_ms, 0};
}
constexpr PlaceHolder keeps_up(std::string_view host, std::int64_t keeping_ms = 60'000) {
  return {host, Proof::kKeepsUp, 100, keeping_ms};
}

Index gives_way(const std::vector<PlaceHolder>& followers, std::string_view host) {
  return who_gives_way(followers, host);
}

TEST_CASE("a host with many followers gives a place to one with fewer, though they keep up") {
  CHECK(gives_way({keeps_up("a"), keeps_up("b", 9000), keeps_up("b", 500), keeps_up("b", 8000)},
                  "c") == Index(2));
}

TEST_CASE("first goes what has acknowledged nothing, then what is silent, the longest first") {
  CHECK(gives_way({keeps_up("b"), silent("b", 9000, Proof::kSilent), silent("b", 10)}, "c") ==
        Index(2));
  CHECK(gives_way(
            {keeps_up("b"), silent("b", 9000, Proof::kSilent), silent("b", 9500, Proof::kSilent)},
            "c") == Index(2));
}

TEST_CASE("nobody that keeps up gives way to its equal") {
  CHECK_FALSE(gives_way({keeps_up("a"), keeps_up("b"), keeps_up("c")}, "d"));
  CHECK_FALSE(gives_way({keeps_up("a"), keeps_up("a"), keeps_up("b")}, "a"));
  // It would have as many as the other gives.
  CHECK_FALSE(gives_way({keeps_up("a"), keeps_up("a"), keeps_up("b")}, "b"));
}

TEST_CASE("between hosts with as many followers those give way that have fallen silent") {
  CHECK_FALSE(gives_way({keeps_up("a"), silent("b", 4000), keeps_up("c")}, "d"));
  CHECK(gives_way({keeps_up("a"), silent("b", 6000), silent("c", 7000)}, "d") == Index(2));
}

TEST_CASE("a host takes no place from another that has fewer, however silent") {
  CHECK_FALSE(gives_way({silent("a", 100), silent("a", 200), silent("b", 60'000)}, "a"));
  CHECK(gives_way({silent("a", 100), silent("a", 6000), silent("b", 60'000)}, "a") == Index(1));
}

TEST_CASE("the host of a connection is its address without the port, or one network of IPv6") {
  CHECK(host_of("tcp:192.0.2.1:4321") == "192.0.2.1");
  CHECK(host_of("ssl:192.0.2.1:4321") == host_of("tcp:192.0.2.1:1"));
  CHECK(host_of("unix#7") == "unix");
  CHECK(host_of("tcp:[2001:db8:1:2::9]:7") == host_of("ssl:[2001:db8:1:2:3::]:8"));
  CHECK(host_of("tcp:[2001:db8:1:2::9]:7") != host_of("tcp:[2001:db8:1:3::9]:7"));
  CHECK(host_of("tcp:[fe80::1%eth0]:7") == "fe80::");
  CHECK(host_of("tcp:[::ffff:192.0.2.1]:7") != host_of("tcp:[::ffff:192.0.2.2]:7"));
  CHECK(host_of("") == "");
}

}  // namespace
}  // namespace tandem
