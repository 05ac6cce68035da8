#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "replication/role/role.h"

namespace tandem::simulation {

class Node;
class Process;

/// Executes what a server's Role decides, as the daemon's RoleHost does. Lives with its process.
class SimulatedRole {
 public:
  using Done = std::function<void(const Result<std::string>&)>;

  SimulatedRole(Node& node, Process& process) : node_(node), process_(process) {}

  void start();
  void promote(Epoch above, Done done);
  /// Follows `source`; null: nobody.
  void demote(Node* source);
  RoleState state() const;

 private:
  std::int64_t now_ms() const;
  void execute();
  void execute(const SetWritable& action);
  void execute(const WritePromotion& action);
  void execute(const SettleDatabases& /*action*/) {}  // no configuration files here
  void execute(const LookAtBackups& action);
  void execute(const Follow& action);
  void execute(const DeposeActive& /*action*/) {}
  void execute(const SetListening& /*action*/) {}
  void execute(const SetTimer& action);
  void execute(const SaveRole& /*action*/) {}  // a process that is killed leaves only its disk
  void execute(const Answer& action);
  void execute(const LogRole& action);
  void set_backups(const BackupSet& backups);

  Node& node_;
  Process& process_;
  Role role_;
  Node* source_ = nullptr;
  bool executing_ = false;
  std::uint64_t changes_ = 0;
  std::uint64_t timers_ = 0;  // set so far: the last one counts
  std::map<RoleChange, Done> waiting_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace tandem::simulation
