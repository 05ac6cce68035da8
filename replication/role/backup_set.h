#pragma once

#include <set>
#include <string>
#include <utility>

namespace tandem {

/// Which of a server's databases are backups: all, also those that are added later, or just those
/// that are named. A value.
class BackupSet {
 public:
  static BackupSet none() { return {}; }
  static BackupSet all() {
    BackupSet set;
    set.all_ = true;
    return set;
  }
  static BackupSet of(std::set<std::string> names) {
    BackupSet set;
    set.names_ = std::move(names);
    return set;
  }

  bool contains(const std::string& database) const { return all_ || names_.contains(database); }
  bool empty() const { return !all_ && names_.empty(); }
  void add(const BackupSet& other) {
    all_ = all_ || other.all_;
    names_.insert(other.names_.begin(), other.names_.end());
  }
  void add(const std::string& database) { names_.insert(database); }

  bool operator==(const BackupSet&) const = default;

 private:
  bool all_ = false;
  std::set<std::string> names_;
};

}  // namespace tandem
