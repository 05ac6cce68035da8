#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/error.h"
#include "replication/role/backup_set.h"

namespace tandem {

/// A change of role that somebody asked for. Numbers rise: a later change overtakes those before.
enum class RoleChange : std::uint64_t {};

/// A success with a text for the user. (An Error could be made of a string, too.)
inline Result<std::string> with_text(std::string text) {
  return Result<std::string>(boost::system::in_place_value, std::move(text));
}

// The host of a Role executes these, in this order. Each says by which event the Role is to be told
// of the end.

/// Databases of the set answer writes with "not allowed", the others take them until the deadline.
/// No promotion. Then: databases_set().
struct SetWritable {
  RoleChange change;
  BackupSet backups;
  std::optional<std::int64_t> deadline_ms;
};
/// Stops following, and after all that had arrived opens a new epoch in every database, greater
/// than `above`; none if a copy goes less far than `least`, or, unless `give_up_damaged`, if a file
/// is damaged. If that fails the databases of `before`
/// are backups again. Then: promotion_written() when the records are on the disk, or
/// promotion_refused(). Not done if another change has begun meanwhile.
struct WritePromotion {
  RoleChange change;
  std::optional<Epoch> above;
  std::optional<Height> least;
  BackupSet before;
  bool give_up_damaged = false;
};
/// Stops following, makes backups of the databases of the set and promotes those of the others that
/// are backups. Then: settled(). Not done if another change has begun meanwhile.
struct SettleDatabases {
  RoleChange change;
  BackupSet backups;
};
/// Reads what each database's backups have acknowledged. Then: backups_seen().
struct LookAtBackups {
  RoleChange change;
};
/// Follows the servers that the backups of the set are to follow. Then: followed(), when the
/// connection has shown something.
struct Follow {
  RoleChange change;
};
/// Tells the server that is followed until now that another is being made active.
struct DeposeActive {};
/// Opens or closes the remotes that are bound to the role.
struct SetListening {
  bool listening;
};
/// Then: timer(). In place of an earlier one; nothing: none.
struct SetTimer {
  std::optional<std::int64_t> at_ms;
};
/// The state with which a server begins after a crash has changed.
struct SaveRole {};
/// The change has ended so; the text is for the user.
struct Answer {
  RoleChange change;
  Result<std::string> result;
};
struct LogRole {
  enum class Level : std::uint8_t { kInfo, kWarn, kError };
  Level level;
  std::string text;
};

using RoleAction = std::variant<SetWritable, WritePromotion, SettleDatabases, LookAtBackups, Follow,
                                DeposeActive, SetListening, SetTimer, SaveRole, Answer, LogRole>;

}  // namespace tandem
