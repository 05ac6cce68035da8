#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "replication/replica.h"
#include "server/writer/database_server.h"

namespace tandem {

/// replication::Replica on a database that is served here. Lives on the replication thread
/// (`runner`); what touches the database travels to the writer as jobs, in order, and outcomes come
/// back by post(). Late outcomes for a replica that is gone are dropped.
class DatabaseReplica final : public Replica {
 public:
  DatabaseReplica(DatabaseServer& server, TaskRunner& runner, DatabaseInfoRef database,
                  std::set<std::string> excluded_tables, bool adopts_schemas = false);
  ~DatabaseReplica() override;

  const SchemaRef& schema() const override { return database_->schema; }
  bool excluded(TableIndex table) const override;
  void resync(std::vector<RowUpdate> rows, Done done) override;
  void apply(std::vector<RowUpdate> updates, Done done) override;
  void standing(std::function<void(Standing)> told) override;
  void holdings(std::function<void(Holdings)> told) override;
  void resync_to(const Standing& standing, BucketScope scope, std::vector<RowUpdate> rows,
                 Done done) override;
  void append(StreamRecord record, Appended done) override;
  void make_durable(Done done) override;
  void caught_up(Done done) override;
  void set_aside(const Fork& fork, std::function<void(Result<Aside>)> done) override;
  const std::string& file() const override { return database_->file; }
  bool adopts_schemas() const override { return adopts_schemas_; }
  void adopt(SchemaRef schema, Done done) override;

 private:
  struct Shared;
  DatabaseServer& server_;
  TaskRunner& runner_;
  DatabaseInfoRef database_;
  std::set<std::string> excluded_tables_;
  const bool adopts_schemas_;
  std::shared_ptr<Shared> shared_;  // lets jobs under way outlive this object
};

}  // namespace tandem
