#pragma once

#include <set>
#include <string>
#include <utility>

#include "server/writer/database_server.h"

namespace tandem {

/// Logs the changes of chosen tables at INFO (ovsdb-server/tlog-set). Owned by the writer.
class TableLog final : public CommitObserver {
 public:
  void set(const std::string& database, const std::string& table, bool on);
  bool is_on(const std::string& database, const std::string& table) const {
    return tables_.contains({database, table});
  }

  void on_logged(const ServedDatabase& database, const CommitRef& commit) override;
  void on_databases_changed() override {}

 private:
  std::set<std::pair<std::string, std::string>> tables_;
};

}  // namespace tandem
