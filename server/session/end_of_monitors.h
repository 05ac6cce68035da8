#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "server/session/monitor_group.h"

namespace tandem {

/// Tells one session that its monitors of a database have been canceled. The socket takes it behind
/// all that the session is still to be told of the database; until then the monitors stay, since
/// the answers before it are made of them.
class EndOfMonitors final : public TextSource {
 public:
  /// `told` is called when all have been told. It must not call the connection.
  EndOfMonitors(std::shared_ptr<MonitorClient> client, std::uint64_t generation,
                std::function<void()> told)
      : client_(std::move(client)),
        place_(generation, nullptr, MonitorNumber{}),
        told_(std::move(told)) {}

  SharedText next() override;

 private:
  const std::shared_ptr<MonitorClient> client_;
  MonitorClient::Place place_;  ///< of the last monitor that was told, or before the first
  std::function<void()> told_;  ///< empty: called
};

}  // namespace tandem
