#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "protocol/target.h"
#include "server/net/fd_watcher.h"
#include "server/net/io_shard.h"
#include "server/net/name_lookup.h"

namespace tandem::net {

/// Listens at a passive target (ptcp, pssl, punix, pfd) for as long as it exists, come what may: an
/// address that is in use or not on this host yet is tried again until it is free, and accepting
/// goes on when descriptors do. A unix socket's file goes with the listener. Belongs to the shard's
/// thread.
class Listener final : private FdListener, private WheelTimer {
 public:
  /// Gets each new socket, non-blocking, with the name of its peer for logs.
  using OnAccept = std::function<void(UniqueFd, std::string name)>;

  /// `freebind`: an address that this host does not have yet is no hindrance.
  Listener(IoShard& shard, Target target, OnAccept on_accept, bool freebind = false);
  ~Listener() override;

  /// Tries to listen, at once; what is wrong is logged once. Call it first, and again if an address
  /// has appeared.
  void open();
  bool is_listening() const { return watcher_ != nullptr; }
  /// Why it does not listen, if it does not.
  const std::string& problem() const { return logged_problem_; }
  /// 0 for unix sockets, and while not listening.
  std::uint16_t bound_port() const { return bound_port_; }

 private:
  /// Which file bind() made, so that another server's is not removed.
  struct FileId {
    dev_t device;
    ino_t inode;
  };

  void on_readable() override;
  void on_writable() override {}
  void on_timer(std::int64_t now_ms) override;

  void open_ip();
  void open_unix();
  void adopt_inherited();
  void listen_on(UniqueFd fd);
  void retry_later(const std::string& problem);
  void pause_accepting(int error);
  std::string name_peer(int fd) const;

  IoShard& shard_;
  Target target_;
  OnAccept on_accept_;
  bool freebind_;
  std::unique_ptr<FdWatcher> watcher_;  ///< null: not listening
  std::optional<NameLookup> lookup_;
  std::string logged_problem_;  ///< so that it is logged once
  std::uint16_t bound_port_ = 0;
  std::optional<FileId> file_;
  bool failed_for_good_ = false;   ///< what was inherited is of no use
  std::int64_t exhausted_ms_ = 0;  ///< when descriptors last ran out
};

}  // namespace tandem::net
