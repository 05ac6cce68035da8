#include "replication/feed.h"

#include <utility>

#include "protocol/jsonrpc.h"

namespace tandem {

void Feed::resume(std::vector<StreamTextRef> backlog) {
  state_ = State::kLive;
  waiting_.assign(backlog.begin(), backlog.end());
  backlog_ = waiting_.size();
  pump();
}

void Feed::send_rows(std::unique_ptr<FeedRows> rows) {
  if (state_ != State::kComparing) return;
  state_ = State::kRows;
  rows_ = std::move(rows);
  pump();
}

void Feed::on_record(StreamTextRef record) {
  switch (state_) {
    case State::kComparing:
    case State::kRows:
    case State::kLive:
      break;
    case State::kLosing:
    case State::kLost:
      return;
  }
  live_bytes_ += record->bytes();
  waiting_.push_back(std::move(record));
  if (live_bytes_ > kMaxWaiting) lose();
  pump();
}

void Feed::end() {
  if (state_ == State::kLost) return;
  lose();
  pump();
}

void Feed::lose() {
  state_ = State::kLosing;
  rows_.reset();
  waiting_.clear();
  live_bytes_ = 0;
  backlog_ = 0;
}

void Feed::pump() {
  if (state_ == State::kRows) {
    while (rows_ != nullptr && !rows_->is_making() && has_room()) {
      if (std::unique_ptr<TextSource> rows = rows_->next()) {
        port_.send(std::move(rows));
      } else {
        rows_.reset();
      }
    }
    if (rows_ == nullptr) state_ = State::kLive;
  }
  switch (state_) {
    case State::kComparing:
    case State::kRows:
    case State::kLost:
      return;
    case State::kLive:
      while (!waiting_.empty() && has_room()) {
        const StreamTextRef record = std::move(waiting_.front());
        waiting_.pop_front();
        if (backlog_ > 0) {
          --backlog_;
        } else {
          live_bytes_ -= record->bytes();
        }
        port_.send(record->text());
      }
      return;
    case State::kLosing: {
      if (!has_room()) return;
      port_.send(shared_text(make_notification("tandem_lost", '[' + json_string(database_) + ']')));
      state_ = State::kLost;
      return;
    }
  }
}

}  // namespace tandem
