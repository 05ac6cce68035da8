#include "server/session/backlog_answer.h"

#include <utility>

#include "server/session/remains.h"

namespace tandem {

namespace {

/// So many monitors that see nothing are passed in one go.
constexpr std::size_t kMonitorsAtOnce = 256;

/// The group's text of the changes that somebody has just begun to read, or a new one.
std::shared_ptr<SharedUpdateText> text_of(MonitorGroup& group, const NetPartsRef& changes) {
  std::shared_ptr<SharedUpdateText> text = group.backlog_text.lock();
  if (text == nullptr || text->changes() != changes || !text->can_be_joined()) {
    text = std::make_shared<SharedUpdateText>(group.request, changes);
    group.backlog_text = text;
  }
  return text;
}

}  // namespace

BacklogAnswer::BacklogAnswer(std::shared_ptr<MonitorClient> client, std::uint64_t generation,
                             NetPartsRef changes, const Uuid& commit_id,
                             std::optional<MonitorNumber> changing)
    : client_(std::move(client)),
      unfinished_(client_->answers),
      changes_(std::move(changes)),
      commit_id_(commit_id),
      changing_(changing),
      place_(generation, nullptr, MonitorNumber{}) {
  const auto found = changing ? client_->monitors.find(*changing) : client_->monitors.end();
  if (found != client_->monitors.end()) {
    begin(found->second, false);
  } else {
    begin_next();
  }
}

void BacklogAnswer::begin_next() {
  const std::uint64_t generation = std::get<0>(place_);
  const auto end = client_->by_group.lower_bound({generation + 1, nullptr, MonitorNumber{}});
  auto at = client_->by_group.upper_bound(place_);
  if (at != end && std::get<2>(*at) == changing_) ++at;
  if (at == end) return text_.reset();
  place_ = *at;
  begin(client_->monitors.at(std::get<2>(place_)), std::exchange(shared_next_, false));
  const auto next = std::next(at);
  shared_next_ = next != end && std::get<1>(*next) == std::get<1>(place_);
}

void BacklogAnswer::begin(const Monitor& monitor, bool same_text) {
  id_ = monitor.id;
  if (!same_text || text_ == nullptr || text_->request() != monitor.group->request)
    text_ = text_of(*monitor.group, changes_);
  piece_ = 0;
  begun_ = false;
}

std::unique_ptr<Remains> BacklogAnswer::remains() { return remains_of(NetParts(*changes_)); }

SharedText BacklogAnswer::next() {
  if (held_ != nullptr) return std::exchange(held_, nullptr);
  for (std::size_t monitors = 0; text_ != nullptr; ++monitors) {
    if (monitors == kMonitorsAtOnce) return shared_text("");
    SharedText piece = text_->piece(piece_++, shared_next_ || text_.use_count() > 1);
    if (piece != nullptr) {
      if (piece->empty() || std::exchange(begun_, true)) return piece;
      held_ = std::move(piece);
      return shared_text(begin_update(*text_->request(), id_, commit_id_));
    }
    const bool ended = begun_;
    begin_next();
    if (ended) return shared_text(std::string(kEndOfUpdate));
  }
  return nullptr;
}

}  // namespace tandem
