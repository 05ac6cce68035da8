#pragma once

#include <stdexcept>
#include <string>

namespace tandem::bench {

/// The run measured nothing: an answer was wrong, missing or late. Ends the program; no figures are
/// printed.
struct Void : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void require(bool condition, const std::string& otherwise) {
  if (!condition) throw Void(otherwise);
}

}  // namespace tandem::bench
