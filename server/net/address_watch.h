#pragma once

#include <functional>
#include <memory>

#include "server/net/fd_watcher.h"

namespace tandem::net {

/// Says when this host gets an IP address (rtnetlink(7), RTM_NEWADDR): a listener whose address
/// moves here with a cluster's virtual IP opens then, and not up to a second later. Belongs to the
/// shard's thread. Without netlink it is silent.
class AddressWatch final : private FdListener {
 public:
  AddressWatch(IoShard& shard, std::function<void()> on_address);
  ~AddressWatch();

 private:
  void on_readable() override;
  void on_writable() override {}

  std::function<void()> on_address_;
  std::unique_ptr<FdWatcher> watcher_;
};

}  // namespace tandem::net
