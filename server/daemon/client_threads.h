#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "server/net/io_shard.h"
#include "server/net/thread_relief.h"
#include "server/session/client_hub.h"

namespace tandem {

/// The I/O threads of clients, each with its ClientHub. Lives on home's thread; stop() comes before
/// the end of whatever the hubs use.
class ClientThreads {
 public:
  using MakeHub = std::function<std::unique_ptr<ClientHub>(net::IoShard&)>;
  /// `number` of threads; 0: one fewer than there are processors.
  ClientThreads(unsigned number, const MakeHub& make_hub, net::ThreadRelief& relief);

  void start();
  void stop();
  std::size_t size() const { return threads_.size(); }
  std::vector<net::IoShard*> shards() const;
  /// Requires that the shard is one of these.
  ClientHub& hub_of(const Shard& shard) { return *threads_[shard.index()].hub; }
  /// Runs the job on each thread, with its hub; returns at once.
  void for_each(const std::function<void(ClientHub&)>& job);
  /// Of all together.
  ClientHub::Usage usage() const;

 private:
  struct Thread {
    std::unique_ptr<net::IoShard> shard;
    std::unique_ptr<ClientHub> hub;
  };
  std::vector<Thread> threads_;
};

}  // namespace tandem
