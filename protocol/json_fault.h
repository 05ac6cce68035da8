#pragma once

#include <string>
#include <string_view>

namespace tandem {

/// Why `text` is not JSON, in the words of ovsdb-server that scripts read: "line 0, column 7, byte
/// 7: syntax error parsing object expecting string". Lines count from 0; column and byte are how
/// much was read before the fault was seen. Empty if there is nothing to object to.
std::string describe_json_fault(std::string_view text);

}  // namespace tandem
