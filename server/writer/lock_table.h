#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

/// One client connection, unique for the life of the process.
enum class SessionId : std::uint64_t {};

/// The locks of RFC 7047 section 4.1.8: per name a queue of sessions, the first owns. As in
/// ovsdb-server, who locked and is robbed stays first in line, while a robbed thief does not wait
/// (and still has to unlock before it asks anew); and whenever somebody leaves a queue, the owner
/// is told "locked", even if it owned before. Owned by the writer.
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
  std::optional<Acquired> acquire(SessionId session, const std::string& name, Mode mode);
  /// Adds to `notices`. False when the session has not asked for it since it last released it.
  bool release(SessionId session, const std::string& name, std::vector<Notice>& notices);
  /// The session is gone. In proportion to its own locks.
  std::vector<Notice> release_all(SessionId session);
  /// Locks that the session has asked for and not released.
  std::size_t count(SessionId session) const;

  bool owns(SessionId session, std::string_view name) const;

 private:
  struct Claim {
    SessionId session;
    Mode mode;
  };
  struct Lock {
    std::deque<Claim> queue;
    std::vector<SessionId> robbed;  ///< thieves that wait no more
  };
  using Locks = std::map<std::string, Lock, std::less<>>;
  /// Those of one session; names are the keys of locks_.
  using Claims = std::set<std::string_view>;

  /// Takes the session, which has claimed it, out of a lock.
  void leave(SessionId session, Locks::iterator lock, std::vector<Notice>& notices);

  Locks locks_;
  std::map<SessionId, Claims> claims_;
};

}  // namespace tandem
