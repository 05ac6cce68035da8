#include "server/net/outgoing_queue.h"

#include <utility>
#include <vector>

#include "server/session/remains.h"

namespace tandem::net {

namespace {

/// Pulled from a source at a time: about what a socket's buffer takes.
constexpr std::size_t kPullBytes = 256 << 10;

}  // namespace

void OutgoingQueue::add(SharedText text) {
  bytes_ += text->size();
  queue_.push_back({std::move(text), nullptr});
}

void OutgoingQueue::add(std::unique_ptr<TextSource> source) {
  bytes_ += source_bytes_;
  queue_.push_back({nullptr, std::move(source)});
}

void OutgoingQueue::clear() {
  while (!queue_.empty()) pop_front();
}

void OutgoingQueue::pop_front() {
  std::unique_ptr<TextSource> source = std::move(queue_.front().source);
  queue_.pop_front();
  if (source == nullptr) return;
  std::unique_ptr<Remains> remains = source->remains();
  source.reset();  // what it shared is no longer shared
  free_in_turns(shard_, std::move(remains));
}

bool OutgoingQueue::pull(std::chrono::steady_clock::time_point until) {
  TextSource& source = *queue_.front().source;
  std::vector<SharedText> pieces;
  std::size_t bytes = 0;
  bool ended = false;
  for (std::size_t i = 0; i < kGather && bytes < kPullBytes && !ended; ++i) {
    if (std::chrono::steady_clock::now() >= until) break;
    SharedText piece = source.next();
    ended = piece == nullptr;
    if (ended || piece->empty()) continue;
    bytes += piece->size();
    pieces.push_back(std::move(piece));
  }
  if (ended) {
    pop_front();
    bytes_ -= source_bytes_;
  }
  bytes_ += bytes;
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece)
    queue_.push_front({std::move(*piece), nullptr});
  return ended || !pieces.empty();
}

std::span<const iovec> OutgoingQueue::gather(Buffers& buffers) const {
  std::size_t count = 0;
  for (const Outgoing& next : queue_) {
    if (next.source != nullptr || count == kGather) break;
    const SharedText& text = next.text;
    const std::size_t skip = count == 0 ? front_written_ : 0;
    buffers[count++] = {const_cast<char*>(text->data()) + skip, text->size() - skip};
  }
  return {buffers.data(), count};
}

void OutgoingQueue::drop(std::size_t bytes) {
  bytes_ -= bytes;
  front_written_ += bytes;
  while (!queue_.empty() && queue_.front().text != nullptr &&
         front_written_ >= queue_.front().text->size()) {
    front_written_ -= queue_.front().text->size();
    queue_.pop_front();
  }
}

}  // namespace tandem::net
