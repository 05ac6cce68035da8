#pragma once

#include <memory>
#include <utility>

#include "server/forwarding/forwards.h"
#include "server/writer/database_server.h"

namespace tandem {

/// The way from the writer to a database's Forwards, which live on the thread of `shard`.
class RemoteForwarder final : public Forwarder {
 public:
  RemoteForwarder(DatabaseServer& server, TaskRunner& shard, std::weak_ptr<Forwards> forwards)
      : server_(server), shard_(shard), forwards_(std::move(forwards)) {}

  void forward(std::unique_ptr<TransactCall> call) override {
    shard_.post([&server = server_, &shard = shard_, forwards = forwards_,
                 call = std::move(call)]() mutable {
      if (const std::shared_ptr<Forwards> there = forwards.lock())
        return there->forward(std::move(call));
      take_back(server, shard, std::move(call));
    });
  }
  void cancel(SessionId session, const JsonId& id) override {
    shard_.post([forwards = forwards_, session, id] {
      if (const std::shared_ptr<Forwards> there = forwards.lock()) there->cancel(session, id);
    });
  }
  void drop(SessionId session) override {
    shard_.post([forwards = forwards_, session] {
      if (const std::shared_ptr<Forwards> there = forwards.lock()) there->drop(session);
    });
  }

  /// From the shard.
  static void take_back(DatabaseServer& server, TaskRunner& shard,
                        std::unique_ptr<TransactCall> call) {
    server.submit(
        [&server, call = std::move(call)]() mutable { server.take_back(std::move(call)); }, shard);
  }

 private:
  DatabaseServer& server_;
  TaskRunner& shard_;
  const std::weak_ptr<Forwards> forwards_;
};

}  // namespace tandem
