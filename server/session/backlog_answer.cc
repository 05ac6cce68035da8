#include "server/session/backlog_answer.h"

#include <utility>

namespace tandem {

namespace {

/// So many monitors that see nothing are passed in one go.
constexpr std::size_t kMonitorsAtOnce = 256;

/// The group's text of the changes that somebody has just begun to read, or a new one.
std::shared_ptr<SharedUpdateText> text_of(MonitorGroup& group,
                                          const std::shared_ptr<const NetChanges>& changes) {
  std::shared_ptr<SharedUpdateText> text = group.backlog_text.lock();
  if (text == nullptr || text->changes() != changes || !text->can_be_joined()) {
    text = std::make_shared<SharedUpdateText>(group.request, changes);
    group.backlog_text = text;
  }
  return text;
}

}  // namespace

BacklogAnswer::BacklogAnswer(std::shared_ptr<MonitorClient> client, std::uint64_t generation,
                             std::shared_ptr<const NetChanges> changes, const Uuid& commit_id)
    : client_(std::move(client)),
      unfinished_(client_->answers),
      changes_(std::move(changes)),
      commit_id_(commit_id),
      place_(generation, nullptr, MonitorNumber{}) {
  begin_monitor();
}

bool BacklogAnswer::begin_monitor() {
  const auto at = client_->by_group.upper_bound(place_);
  const std::uint64_t generation = std::get<0>(place_);
  if (at == client_->by_group.end() || std::get<0>(*at) != generation) {
    text_.reset();
    return false;
  }
  const bool same = std::exchange(shared_next_, false);
  place_ = *at;
  const Monitor& monitor = client_->monitors.at(std::get<2>(place_));
  id_ = monitor.id;
  if (!same || text_ == nullptr || text_->request() != monitor.group->request)
    text_ = text_of(*monitor.group, changes_);
  const auto next = std::next(at);
  shared_next_ = next != client_->by_group.end() && std::get<0>(*next) == generation &&
                 std::get<1>(*next) == std::get<1>(place_);
  piece_ = 0;
  begun_ = false;
  return true;
}

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
    begin_monitor();
    if (ended) return shared_text(std::string(kEndOfUpdate));
  }
  return nullptr;
}

}  // namespace tandem
