#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/writer/commit_observer.h"
#include "server/writer/context.h"
#include "server/writer/server_row.h"
#include "server/writer/transactions.h"

namespace tandem {

/// The rows of "_Server", one a database, and the clients that wait to see in them who is active.
/// The writer's.
class ServerRows final : public CommitObserver {
 public:
  static constexpr std::string_view kDatabase = "_Server";
  /// Answers a client that is to see the rows now.
  using LetIn = std::function<void(std::unique_ptr<NewMonitor>)>;
  ServerRows(WriterContext& context, Transactions& transactions, const Uuid& server_id,
             LetIn let_in);

  /// Brings the database's row up to date.
  void describe(const ServedDatabase& database);
  /// The database goes.
  void remove(const ServedDatabase& database);
  /// What rows show of the role from now on.
  void set_advertised_role(AdvertisedRole role);
  bool shows_role() const { return advertised_ != AdvertisedRole::kNone; }
  /// Brings all rows up to date, if they show the role: it has changed, or somebody looks.
  void show_roles();
  /// So many more (or fewer) other servers are known to be active. Thread-safe.
  void count_active(int change) { others_active_ += change; }
  /// Is another server known to be active?
  bool knows_active() const { return others_active_ > 0; }

  /// Lets in who wants to see the rows, at once if there is an active server, or a while later.
  void start(std::unique_ptr<NewMonitor> monitor);
  /// The session is gone.
  void drop(SessionId session);
  /// When show_roles() has to be called again.
  std::optional<std::int64_t> next_deadline_ms() const;

  void on_logged(const ServedDatabase& database, const CommitRef& commit) override;
  void on_databases_changed() override {}

 private:
  /// The row as it should be.
  ServerRow row_of(const ServedDatabase& database);
  /// Nobody is active, as far as this server knows: who comes to look for the active waits a while.
  bool makes_newcomers_wait() const;
  /// Lets in those for whom there is an active now, or who have waited for long.
  void let_in();

  struct Shown {
    std::optional<ServerRow> last;
    std::optional<ServerRow> advertised;  ///< the last one that showed a role
  };
  WriterContext& context_;
  Transactions& transactions_;
  LetIn let_in_;
  const Uuid server_id_;
  AdvertisedRole advertised_ = AdvertisedRole::kNone;
  std::map<std::string, Shown, std::less<>> shown_;     ///< by database
  std::vector<std::unique_ptr<NewMonitor>> newcomers_;  ///< who wait
  std::atomic<int> others_active_ = 0;
  std::optional<std::int64_t> index_due_ms_;  ///< when rows are to show what was written
};

}  // namespace tandem
