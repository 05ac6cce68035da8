#pragma once

#include <cstddef>
#include <string_view>

namespace tandem::bench {

/// Finds where JSON objects end in a stream of them, without reading what is in them: the client
/// must stay cheap beside the server. Feed it every byte once.
class Scanner {
 public:
  /// The number of bytes up to and with the end of the present object; npos if it does not end in
  /// `input`.
  std::size_t end_of_object(std::string_view input);

 private:
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace tandem::bench
