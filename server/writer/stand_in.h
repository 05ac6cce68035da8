#pragma once

// Reads while a write of the log does not return, or a gate does not open. Its commits are in
// memory already, but no client has been told of them: they are taken out of the rows until the
// disk answers, or for a moment, and reads see what is published. Rejected: a snapshot of what is
// published after each batch, which every commit would pay for; answers that show what may be taken
// back.

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "server/writer/database_server.h"

namespace tandem {

/// Runs as Writer::StandIn says: for the writer, which waits.
class DatabaseServer::StandIn final : public Writer::StandIn {
 public:
  explicit StandIn(DatabaseServer& server) : server_(server) {}

  void begin(Writer::Sessions& waiting) override;
  void end_turn() override;
  void end() override;

  /// On the writer, after flush(): answers the reads that wait behind commits whose gates do not
  /// open, each but those of sessions that wait for an answer to a write. True if there are such.
  bool answer_past_gates();

  // Between begin() and end():

  /// Executes what only reads; what cannot be now goes to the end of the writer's queue.
  void transact(std::unique_ptr<TransactCall> call);
  void start(std::unique_ptr<NewMonitor> monitor);
  void start(std::unique_ptr<NewFeed> feed);

 private:
  /// Takes the commits that nobody was told of out of the rows, and adds the sessions that have
  /// made them.
  void take_out(Writer::Sessions& waiting);
  void put_back();
  /// How many of the newest commits in the database's history are out of its rows.
  std::size_t unpublished_in_history(ServedDatabase* database) const;
  /// Between take_out() and put_back(). False if its session waits for an answer to a write.
  bool answer_read(Outgoing& outgoing, const Writer::Sessions& waiting);

  DatabaseServer& server_;
  /// Commits that are out of the rows, oldest first.
  std::map<ServedDatabase*, std::vector<CommitRef>, ServedByName> unpublished_;
};

}  // namespace tandem
