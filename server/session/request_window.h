#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

namespace tandem {

/// How many requests of one session may be under way: read, and not answered yet. Those that select
/// rows are few at first, and one more with each answer; but an answer that holds many rows leaves
/// room for as many of its kind as hold kRows together, at least for one. So a pipeline of small
/// requests is as long as it may be, and one of large selects holds little more than the answer
/// that is leaving.
class RequestWindow {
 public:
  /// Rows that answers under way may hold.
  static constexpr std::size_t kRows = 32'768;

  explicit RequestWindow(std::size_t most) : most_(most) {}

  bool is_open() const { return under_way_ < most_ && selects_ < allowed_; }
  bool is_idle() const { return under_way_ == 0; }
  std::size_t under_way() const { return under_way_; }
  /// As many as may ever be.
  bool is_full() const { return under_way_ >= most_; }
  void begin(bool selects) {
    ++under_way_;
    if (selects) ++selects_;
  }
  /// One is answered; of those that select: by so many rows.
  void end(std::optional<std::size_t> rows) {
    --under_way_;
    if (!rows) return;
    --selects_;
    allowed_ = std::min(most_, allowed_ + 1);
    if (*rows > 0) allowed_ = std::clamp<std::size_t>(kRows / *rows, 1, allowed_);
  }

 private:
  static constexpr std::size_t kFirst = 8;

  const std::size_t most_;
  std::size_t under_way_ = 0;
  std::size_t selects_ = 0;  ///< of these
  std::size_t allowed_ = kFirst;
};

}  // namespace tandem
