#include "server/session/transact_answer.h"

#include <utility>

namespace tandem {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

}  // namespace

TransactAnswer::TransactAnswer(const json::value& id, TransactResult result)
    : head_(begin_reply(id)), writer_(std::move(result)) {}

SharedText TransactAnswer::next() {
  if (ended_) return nullptr;
  std::string text = std::exchange(head_, {});
  ended_ = writer_.write(text, kPieceBytes);
  if (ended_) text += '}';
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace tandem
