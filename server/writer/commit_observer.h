#pragma once

#include "server/database/commit.h"

namespace tandem {

class ServedDatabase;

/// Told on the writer what was written to the logs, before clients see it.
class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  virtual void on_logged(const ServedDatabase& database, const CommitRef& commit) = 0;
  /// Databases came, went, were converted, or changed role.
  virtual void on_databases_changed() = 0;
};

}  // namespace tandem
