#pragma once

#include <functional>
#include <vector>

#include "protocol/table_updates.h"

namespace tandem {

/// What a relay's link needs of the copy. Implemented above; what is handed in to be told of an
/// outcome runs later, on the link's thread, in the order of the calls.
class RelayCopy {
 public:
  virtual ~RelayCopy() = default;

  using Done = std::function<void(Result<void>)>;

  /// Makes the copy hold these rows, of this schema, and nothing else. `id` is that of the last
  /// commit in them. If the schema is the one that it has, what differs is applied as one commit.
  virtual void take_contents(const SchemaRef& schema, std::vector<RowUpdate> rows, const Uuid& id,
                             Done done) = 0;
  /// Applies one commit of the source. An error leaves the copy as it was.
  virtual void apply(const SchemaRef& schema, std::vector<RowUpdate> updates, const Uuid& id,
                     Done done) = 0;
  /// The servers that transactions come through until they are executed, the source first.
  /// `read_only`: no writes are executed there now.
  virtual void set_path(std::vector<Uuid> path, bool read_only) = 0;
  /// Whether clients are told that there is a source.
  virtual void set_connected(bool connected) = 0;
};

}  // namespace tandem
