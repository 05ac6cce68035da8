#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "server/relay/relay_copy.h"
#include "server/writer/database_server.h"

namespace tandem {

/// RelayCopy on a database that is served here. Lives on the relay's thread (`runner`); what
/// touches the database travels to the writer as jobs, in order, and outcomes come back by post().
/// Late outcomes for one that is gone are dropped.
class RelayDatabase final : public RelayCopy {
 public:
  RelayDatabase(DatabaseServer& server, TaskRunner& runner, std::string name);
  ~RelayDatabase() override;

  void take_contents(const SchemaRef& schema, std::vector<RowUpdate> rows, const Uuid& id,
                     Done done) override;
  void apply(const SchemaRef& schema, std::vector<RowUpdate> updates, const Uuid& id,
             Done done) override;
  void set_path(std::vector<Uuid> path, bool read_only) override;
  void set_connected(bool connected) override;
  /// Runs a job on the writer behind all that was handed in before.
  void submit(Task job);

 private:
  struct Shared;
  const std::shared_ptr<Shared> shared_;  // lets jobs under way outlive this object
};

}  // namespace tandem
