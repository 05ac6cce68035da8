#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "replication/role/role.h"

namespace tandem::simulation {

class Node;
class Process;
struct Source;

/// The state that a monitor process keeps for the server that it starts after a crash.
struct KeptRole {
  bool active = false;
  Lease lease;
  std::shared_ptr<const Source> source;  ///< whom it followed; null: nobody
};

/// Executes what a server's Role decides, as the daemon's RoleHost does. Lives with its process.
class SimulatedRole {
 public:
  using Done = std::function<void(const Result<std::string>&)>;

  SimulatedRole(Node& node, Process& process) : node_(node), process_(process) {}

  void start(const std::optional<KeptRole>& before);
  void promote(const PromotionWanted& wanted, Done done);
  /// All databases become backups. Follows `source`; nothing: nobody.
  void demote(DemotionWanted wanted, std::shared_ptr<const Source> source, Done done);
  void demote(Node* source);
  Result<void> renew_lease(std::int64_t length_ms, std::optional<Epoch> wanted);
  Result<void> disarm_lease();
  void depose();

  RoleState state() const;
  const Lease& lease() const { return role_.lease(); }
  /// Others can connect to remotes that are bound to the role.
  bool is_listening() const { return listening_; }
  Epoch epoch() const;

 private:
  std::int64_t now_ms() const;
  void execute();
  void execute(const SetWritable& action);
  void execute(const WritePromotion& action);
  void execute(const SettleDatabases& /*action*/) {}  // no configuration files here
  void execute(const LookAtBackups& action);
  void execute(const Follow& action);
  void execute(const DeposeActive& action);
  void execute(const SetListening& action);
  void execute(const SetTimer& action);
  void execute(const SaveRole& action);
  void execute(const Answer& action);
  void execute(const LogRole& action);
  void set_backups(const BackupSet& backups);
  /// Nothing: another change has overtaken it.
  std::optional<Result<void>> write_promotion(const WritePromotion& action);
  void sync_promotion(RoleChange change);
  void backups_seen(RoleChange change, bool fresh);
  void set_timer(std::int64_t at_ms, std::uint64_t timer);

  Node& node_;
  Process& process_;
  Role role_;
  std::shared_ptr<const Source> source_;
  bool listening_ = false;
  bool executing_ = false;
  std::uint64_t changes_ = 0;
  std::uint64_t timers_ = 0;  // set so far: the last one counts
  std::map<RoleChange, Done> waiting_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace tandem::simulation
