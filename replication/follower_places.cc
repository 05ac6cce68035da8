#include "replication/follower_places.h"

#include <arpa/inet.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace tandem {

std::string host_of(std::string_view connection) {
  if (const auto number = connection.find('#'); number != std::string_view::npos)
    return std::string(connection.substr(0, number));
  const auto first = connection.find(':');
  const auto last = connection.rfind(':');
  if (first == last) return std::string(connection);
  std::string host(connection.substr(first + 1, last - first - 1));
  if (!host.starts_with('[')) return host;
  const std::string digits = host.substr(1, host.find_first_of("%]") - 1);
  unsigned char address[16];
  if (inet_pton(AF_INET6, digits.c_str(), address) != 1) return host;
  constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(std::begin(kMapped), std::end(kMapped), address)) return host;
  std::fill(address + 8, address + 16, 0);
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, address, text, sizeof text);
}

std::optional<std::size_t> who_gives_way(std::span<const PlaceHolder> followers,
                                         std::string_view host) {
  std::map<std::string_view, std::size_t> places;
  for (const PlaceHolder& follower : followers) ++places[follower.host];
  const std::size_t own = ++places[host];  // with the newcomer
  std::optional<std::size_t> found;
  // The host that has most gives way first; of one host the follower that has shown least; of
  // equals the one that has been silent for longest, or keeping up for the shortest time.
  const auto key = [&](const PlaceHolder& follower) {
    const bool keeps_up = follower.proof == PlaceHolder::Proof::kKeepsUp;
    return std::tuple(-static_cast<std::ptrdiff_t>(places[follower.host]), follower.proof,
                      keeps_up ? follower.keeping_ms : -follower.silent_ms);
  };
  for (std::size_t i = 0; i < followers.size(); ++i) {
    const PlaceHolder& follower = followers[i];
    const std::size_t its = places[follower.host];
    const bool is_idle =
        follower.proof != PlaceHolder::Proof::kKeepsUp && follower.silent_ms > kFollowerSilentMs;
    if (its < own || (its == own && !is_idle)) continue;
    if (!found || key(follower) < key(followers[*found])) found = i;
  }
  return found;
}

}  // namespace tandem
