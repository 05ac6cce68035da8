#pragma once

// Looks into the replies that a scenario checks. The run is void if something is not there.

#include <string>
#include <string_view>

#include "protocol/json/value.h"

namespace tandem::bench {

Json read_reply(std::string_view text);

/// The value at a JSON pointer (RFC 6901).
const Json& value_at(const Json& value, const char* pointer);
const std::string& text_at(const Json& value, const char* pointer);

/// The rows that the first operation of a transaction has selected.
Json selected_rows(std::string_view reply);

}  // namespace tandem::bench
