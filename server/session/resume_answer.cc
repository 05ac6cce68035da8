#include "server/session/resume_answer.h"

#include <utility>

#include "server/session/remains.h"

namespace tandem {

namespace {

/// So many changes are merged in one go.
constexpr std::size_t kChangesAtOnce = 4096;

}  // namespace

ResumeAnswer::ResumeAnswer(std::string head, MonitorRequestRef request,
                           std::vector<CommitRef> commits, std::string tail,
                           std::shared_ptr<const void> unfinished)
    : head_(std::move(head)),
      request_(std::move(request)),
      commits_(std::move(commits)),
      tail_(std::move(tail)),
      unfinished_(std::move(unfinished)) {}

bool ResumeAnswer::merge_some() {
  std::size_t merged = 0;
  for (; commit_ < commits_.size(); ++commit_, change_ = 0) {
    const std::vector<RowChange>& changes = commits_[commit_]->changes;
    for (; change_ < changes.size(); ++change_) {
      if (merged++ == kChangesAtOnce) return false;
      changes_->add(changes[change_]);
    }
    commits_[commit_].reset();
  }
  return true;
}

std::unique_ptr<Remains> ResumeAnswer::remains() { return remains_of(NetParts{changes_}); }

SharedText ResumeAnswer::next() {
  if (ended_) return nullptr;
  if (text_ == nullptr) {
    if (!merge_some()) return shared_text("");
    text_ = std::make_unique<UpdateText>(request_,
                                         std::make_shared<const NetParts>(NetParts{changes_}));
  }
  const SharedText piece = text_->next();
  if (piece == nullptr) {
    ended_ = true;
    return shared_text(head_.empty() ? tail_ : std::move(head_) + "{}" + tail_);
  }
  if (piece->empty() || head_.empty()) return piece;
  return shared_text(std::exchange(head_, {}) + *piece);
}

}  // namespace tandem
