#pragma once

// The text of a transaction's result, made piece by piece: a select may find a million rows, which
// are to be compared with one another, sorted and written while others have their turns. Each call
// looks at a few hundred rows at most, so it takes a fraction of a millisecond.

#include <memory>
#include <string>
#include <vector>

#include "protocol/operation.h"

namespace tandem {

/// Makes the text of one result; the rows go as they are written. One thread.
class ResultWriter {
 public:
  explicit ResultWriter(TransactResult result);
  ~ResultWriter();
  ResultWriter(ResultWriter&&) noexcept;

  /// Appends the next part, which may be empty, of about `bytes`. True when that was the last.
  bool write(std::string& out, std::size_t bytes);
  /// The results, without the rows that were written. Nothing more can be written.
  std::vector<OperationResult> take_rest();

 private:
  class Rows;

  TransactResult result_;
  std::size_t next_ = 0;  ///< of the results
  bool begun_ = false;
  std::unique_ptr<Rows> rows_;  ///< of the select that is being written
};

}  // namespace tandem
