#pragma once

#include <cstddef>
#include <string>

#include "protocol/json.h"

namespace tandem {

/// Errors show so much of what they are about.
constexpr std::size_t kMostSyntax = std::size_t{64} << 10;

/// The text of `value`, cut off after about `most` bytes; costs no more than these.
std::string json_excerpt(const json::value& value, std::size_t most = kMostSyntax);

}  // namespace tandem
