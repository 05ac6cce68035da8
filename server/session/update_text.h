#pragma once

// The <table-updates> of net changes, made piece by piece while a socket takes them.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/monitor.h"
#include "server/session/connection_port.h"
#include "server/session/merged_rows.h"

namespace tandem {

/// As one kind of monitors sees the changes. One thread.
class UpdateText {
 public:
  UpdateText(MonitorRequestRef request, NetPartsRef changes);

  /// The next piece: empty when there is none yet, null at the end. Nothing but empty pieces when
  /// the monitors see nothing.
  SharedText next();

  const MonitorRequestRef& request() const { return request_; }
  const NetPartsRef& changes() const { return changes_; }

 private:
  const MonitorRequestRef request_;
  const NetPartsRef changes_;
  std::string text_;
  UpdateWriter writer_;
  std::size_t table_ = 0;           ///< in the request
  std::optional<MergedRows> rows_;  ///< of the table; none: not begun
  bool ended_ = false;
};

/// The same for several readers, each from its beginning: a piece is made by the first that comes
/// to it, and kept for the others. One thread.
class SharedUpdateText {
 public:
  SharedUpdateText(MonitorRequestRef request, NetPartsRef changes)
      : text_(std::move(request), std::move(changes)) {}

  /// The `index`th piece, null at the end. If it is not `kept`, nobody may begin to read any more.
  SharedText piece(std::size_t index, bool kept);
  bool can_be_joined() const { return !dropped_; }
  const NetPartsRef& changes() const { return text_.changes(); }
  const MonitorRequestRef& request() const { return text_.request(); }

 private:
  UpdateText text_;
  std::vector<SharedText> pieces_;
  bool dropped_ = false;
};

/// The text before and after the <table-updates> of a notification.
std::string begin_update(const MonitorRequest& request, const std::string& monitor_id,
                         const Uuid& commit_id);
inline constexpr std::string_view kEndOfUpdate = "]}";

}  // namespace tandem
