#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/json/json_grammar.h"

namespace tandem {

/// How far a stream has been read.
struct JsonPlace {
  std::size_t line = 0;
  std::size_t column = 0;
  std::size_t byte = 0;
  void advance(std::string_view text);
};

/// Where a reader stopped: at a token that may not be there, or is none.
struct JsonFault {
  std::size_t token = 0;  ///< where it begins; at the end of the text: the text is not complete
  JsonExpected expected = JsonExpected::kStart;
  std::size_t depth = 0;          ///< arrays and objects that are open
  bool any_value_starts = false;  ///< the outermost value may be of any kind
  JsonPlace begin{};              ///< where the text begins
};

/// Why `text` is not JSON, in the words of ovsdb-server that scripts read: "line 0, column 7, byte
/// 7: syntax error parsing object expecting string". Lines count from 0; column and byte are how
/// much was read before the fault was seen.
std::string describe_json_fault(std::string_view text, const JsonFault& fault);

/// The same for a text that nobody has read. Empty if there is nothing to object to: it is one
/// array or object.
std::string describe_json_fault(std::string_view text);

}  // namespace tandem
