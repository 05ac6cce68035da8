#pragma once

#include <cstdint>
#include <string>

namespace tandem::control {

/// The two greatest units, as in "3 d 4 h".
std::string duration_text(std::int64_t ms);

/// "517 bytes", "1.2 MB"
std::string bytes_text(std::uint64_t bytes);

/// "no", "one", ... "nine", "10"
std::string number_text(std::uint64_t number);

}  // namespace tandem::control
