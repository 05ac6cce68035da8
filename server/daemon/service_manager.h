#pragma once

#include <string>
#include <string_view>

namespace tandem {

/// What has started this process as a service, if it wants to be told of its state: systemd, for a
/// unit of Type=notify (sd_notify(3)).
class ServiceManager {
 public:
  /// The one that NOTIFY_SOCKET names: the path of a unix socket, or "@" and the name of an
  /// abstract one.
  static ServiceManager from_environment();

  /// Sends `state`, such as "READY=1". Without a manager, or if it cannot be reached, nothing
  /// happens.
  void tell(std::string_view state) const;

 private:
  std::string socket_;  ///< empty: none
};

}  // namespace tandem
