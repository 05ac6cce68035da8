#pragma once

#include <ostream>

#include "protocol/error.h"

namespace tandem {

/// Lets Catch2 show a Result in CHECK(result).
inline std::ostream& operator<<(std::ostream& out, const Error& error) {
  return out << error.to_string();
}

}  // namespace tandem
