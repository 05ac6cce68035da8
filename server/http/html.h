#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tandem::http {

/// Text that may come from anybody as text of an HTML page: nothing in it is markup, whether it
/// stands in an element or in a quoted attribute. Cut at `most` bytes, control characters shown.
std::string html(std::string_view text, std::size_t most = 200);

}  // namespace tandem::http
