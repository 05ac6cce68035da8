#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/database/commit.h"
#include "server/session/update_text.h"

namespace tandem {

/// The first answer of a monitor that resumes: the net of the commits that it has missed. They are
/// merged and written some at a time.
class ResumeAnswer final : public TextSource {
 public:
  /// `head` and `tail` enclose the <table-updates>. `unfinished` is held until the end.
  ResumeAnswer(std::string head, MonitorRequestRef request, std::vector<CommitRef> commits,
               std::string tail, std::shared_ptr<const void> unfinished);

  SharedText next() override;
  std::unique_ptr<Remains> remains() override;

 private:
  /// False while there is more to merge.
  bool merge_some();

  std::string head_;
  const MonitorRequestRef request_;
  std::vector<CommitRef> commits_;
  const std::string tail_;
  const std::shared_ptr<const void> unfinished_;

  std::size_t commit_ = 0;  ///< the next to be merged
  std::size_t change_ = 0;  ///< in it
  std::shared_ptr<NetChanges> changes_ = std::make_shared<NetChanges>();
  std::unique_ptr<UpdateText> text_;  ///< when all are merged
  bool ended_ = false;
};

}  // namespace tandem
