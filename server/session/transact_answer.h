#pragma once

#include <string>

#include "protocol/result_writer.h"
#include "server/session/connection_port.h"

namespace tandem {

/// The reply to one "transact", made piece by piece while the socket takes it. Most are one piece.
class TransactAnswer final : public TextSource {
 public:
  TransactAnswer(const JsonId& id, TransactResult result);

  SharedText next() override;
  std::unique_ptr<Remains> remains() override;
  bool ended() const { return ended_; }

 private:
  std::string head_;
  ResultWriter writer_;
  bool ended_ = false;
};

}  // namespace tandem
