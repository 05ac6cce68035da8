#include "server/session/transact_answer.h"

#include <utility>

#include "server/session/remains.h"

namespace tandem {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

}  // namespace

TransactAnswer::TransactAnswer(const JsonId& id, TransactResult result)
    : head_(begin_reply(id)), writer_(std::move(result)) {}

std::unique_ptr<Remains> TransactAnswer::remains() { return remains_of(writer_.take_rest()); }

SharedText TransactAnswer::next() {
  if (ended_) return nullptr;
  std::string text = std::exchange(head_, {});
  ended_ = writer_.write(text, kPieceBytes);
  if (ended_) text += '}';
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace tandem
