#pragma once

// A database has a bounded number of followers, and anybody may ask to be one where no certificate
// is demanded. So places are shared out by what a follower cannot choose, the address that it comes
// from, and by what it has shown: a host that has many places gives one to a host that has fewer,
// and among equals one that keeps up stays.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tandem {

/// The host that a connection comes from, by the connection's name: all clients of a Unix socket
/// are one, and so are the addresses of an IPv6 network of 64 bits.
std::string host_of(std::string_view connection);

/// A follower, as it counts when a place is wanted.
struct PlaceHolder {
  enum class Proof : std::uint8_t {
    kNone,     ///< it has acknowledged nothing
    kSilent,   ///< it has acknowledged something, and falls behind or is silent
    kKeepsUp,  ///< it acknowledges the newest
  };
  std::string_view host;
  Proof proof = Proof::kNone;
  std::int64_t silent_ms = 0;   ///< since its last word
  std::int64_t keeping_ms = 0;  ///< so long it has been keeping up
};

/// Without a word for so long, a follower that does not keep up may have to give way to its equal.
/// Backups say something each second.
constexpr std::int64_t kFollowerSilentMs = 5000;

/// The one that gives way to a newcomer from `host`: an index; nothing if none does.
std::optional<std::size_t> who_gives_way(std::span<const PlaceHolder> followers,
                                         std::string_view host);

}  // namespace tandem
