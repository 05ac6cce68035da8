#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "protocol/operation.h"
#include "protocol/text_source.h"
#include "server/base/task.h"
#include "server/database/snapshot.h"
#include "server/session/net_changes.h"

// A million row versions take a tenth of a second to free, when the last who held them lets go: a
// client that was far behind, or a first answer from a snapshot that the database has moved on
// from. So that nobody waits for that it is done some at a time, in tasks of the shard.

namespace tandem {

/// Frees them on the shard's thread: some at once, the others in later tasks. Null: nothing.
void free_in_turns(TaskRunner& shard, std::unique_ptr<Remains> remains);

/// Each takes some away from its end; false when it is empty.
bool free_some(std::vector<ChunkRef>& chunks);
bool free_some(std::vector<OperationResult>& results);
/// Parts that others read stay. Requires that nobody will add to the parts that nobody else has.
bool free_some(NetParts& parts);

template <class T>
class RemainsOf final : public Remains {
 public:
  explicit RemainsOf(T data) : data_(std::move(data)) {}
  bool free_some() override { return tandem::free_some(data_); }

 private:
  T data_;
};

template <class T>
std::unique_ptr<Remains> remains_of(T data) {
  return std::make_unique<RemainsOf<T>>(std::move(data));
}
std::unique_ptr<Remains> remains_of(const Snapshot& snapshot);

}  // namespace tandem
