#include "server/session/end_of_monitors.h"

#include <utility>

#include "protocol/jsonrpc.h"

namespace tandem {

SharedText EndOfMonitors::next() {
  const auto at = client_->by_group.upper_bound(place_);
  if (at == client_->by_group.end() || std::get<0>(*at) != std::get<0>(place_)) {
    if (const auto told = std::exchange(told_, nullptr)) told();
    return nullptr;
  }
  place_ = *at;
  const Monitor& monitor = client_->monitors.at(std::get<2>(place_));
  return shared_text(make_notification("monitor_canceled", '[' + monitor.id + ']'));
}

}  // namespace tandem
