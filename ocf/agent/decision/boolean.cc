#include "ocf/agent/decision/boolean.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace tandem::agent {

std::optional<bool> parse_boolean(std::string_view text) {
  static constexpr std::array<std::string_view, 5> kTrue = {"true", "on", "yes", "y", "1"};
  static constexpr std::array<std::string_view, 5> kFalse = {"false", "off", "no", "n", "0"};
  std::string word(text.substr(0, text.find('\n')));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::find(kTrue.begin(), kTrue.end(), word) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), word) != kFalse.end()) return false;
  return std::nullopt;
}

}  // namespace tandem::agent
