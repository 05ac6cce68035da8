#include "server/daemon/client_threads.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace tandem {

ClientThreads::ClientThreads(unsigned number, const MakeHub& make_hub, net::ThreadRelief& relief) {
  if (number == 0) number = std::max(2U, std::thread::hardware_concurrency()) - 1;
  for (unsigned i = 0; i < number; ++i) {
    auto shard = std::make_unique<net::IoShard>(i);
    auto hub = make_hub(*shard);
    relief.watch(*shard);
    threads_.push_back({std::move(shard), std::move(hub)});
  }
}

void ClientThreads::start() {
  for (const Thread& thread : threads_) thread.shard->start();
}

void ClientThreads::stop() {
  for (const Thread& thread : threads_) thread.shard->stop();
}

std::vector<net::IoShard*> ClientThreads::shards() const {
  std::vector<net::IoShard*> shards;
  for (const Thread& thread : threads_) shards.push_back(thread.shard.get());
  return shards;
}

void ClientThreads::for_each(const std::function<void(ClientHub&)>& job) {
  for (const Thread& thread : threads_)
    thread.shard->post([job, hub = thread.hub.get()] { job(*hub); });
}

ClientHub::Usage ClientThreads::usage() const {
  ClientHub::Usage all;
  for (const Thread& thread : threads_) {
    const ClientHub::Usage usage = thread.hub->usage();
    all.sessions += usage.sessions;
    all.monitors += usage.monitors;
  }
  return all;
}

}  // namespace tandem
