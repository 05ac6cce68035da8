#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/session/monitor_group.h"

namespace tandem {

/// What one session was not sent of one database while it was behind: an update for each of its
/// monitors that sees something of it. Monitors of a group come one after the other, and share the
/// text; so do sessions that begin to read it at the same time. The session's monitors of the
/// database do not change meanwhile, but for one that changes or begins, or unless the session
/// goes.
class BacklogAnswer final : public TextSource {
 public:
  /// `changing` is to ask for something else as soon as this is made: it is told first, as it is
  /// now, if it is there.
  BacklogAnswer(std::shared_ptr<MonitorClient> client, std::uint64_t generation,
                NetPartsRef changes, const Uuid& commit_id, std::optional<MonitorNumber> changing);

  SharedText next() override;
  std::unique_ptr<Remains> remains() override;

 private:
  /// Turns to the next monitor, if there is one.
  void begin_next();
  void begin(const Monitor& monitor, bool same_text);

  const std::shared_ptr<MonitorClient> client_;
  const std::shared_ptr<const void> unfinished_;
  const NetPartsRef changes_;
  const Uuid commit_id_;
  const std::optional<MonitorNumber> changing_;

  MonitorClient::Place place_;              ///< the present monitor's, or before the first
  std::string id_;                          ///< of the present monitor
  bool shared_next_ = false;                ///< the next monitor has the same text
  std::shared_ptr<SharedUpdateText> text_;  ///< null: between two monitors
  std::size_t piece_ = 0;
  bool begun_ = false;  ///< its update has been
  SharedText held_;     ///< comes next
};

}  // namespace tandem
