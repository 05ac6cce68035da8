#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

/// One client connection, unique for the life of the process.
enum class SessionId : std::uint64_t {};

/// The locks of RFC 7047 section 4.1.8: per name a queue of sessions, the first owns. Owned by the
/// writer.
class LockTable {
 public:
  enum class Mode : std::uint8_t { kLock, kSteal };

  /// A change of ownership that somebody else than the caller must be told.
  struct Notice {
    SessionId session;
    std::string lock;
    bool stolen = false;  ///< else "locked"
  };
  struct Acquired {
    bool owned = false;
    std::vector<Notice> notices;
  };

  /// Nothing when the session already holds or awaits the lock.
  std::optional<Acquired> acquire(SessionId session, const std::string& lock, Mode mode);
  /// Adds to `notices`. False when the session neither holds nor awaits it.
  bool release(SessionId session, const std::string& lock, std::vector<Notice>& notices);
  /// The session is gone.
  std::vector<Notice> release_all(SessionId session);

  bool owns(SessionId session, std::string_view lock) const;

 private:
  std::map<std::string, std::deque<SessionId>, std::less<>> queues_;
};

}  // namespace tandem
