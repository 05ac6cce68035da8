#include "server/net/address_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace tandem::net {

AddressWatch::AddressWatch(IoShard& shard, std::function<void()> on_address)
    : on_address_(std::move(on_address)) {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return;
  FdListener& self = *this;
  watcher_ = std::make_unique<FdWatcher>(shard, std::move(fd), self);
  watcher_->wait_readable();
}

AddressWatch::~AddressWatch() = default;

void AddressWatch::on_readable() {
  bool appeared = false;
  alignas(nlmsghdr) std::array<char, 8192> buffer;
  for (;;) {
    const ssize_t size = recv(watcher_->fd(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == ENOBUFS) appeared = true;  // events were lost: look anyway
    if (size <= 0 && errno != ENOBUFS && errno != EINTR) break;
    auto left = static_cast<unsigned>(size < 0 ? 0 : size);
    for (const auto* header = reinterpret_cast<const nlmsghdr*>(buffer.data());
         NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type == RTM_NEWADDR) appeared = true;
    }
  }
  watcher_->wait_readable();
  if (appeared) on_address_();
}

}  // namespace tandem::net
