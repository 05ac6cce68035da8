#include "server/ctl/colours.h"

#include <fmt/core.h>

#include <sstream>

namespace tandem::ctl {

std::string painted(Level level, const std::string& text) {
  const int colour = level == Level::kGood ? 32 : level == Level::kDegraded ? 33 : 31;
  return fmt::format("\033[{}m{}\033[0m", colour, text);
}

std::string painted_status(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool is_trouble = line.starts_with("health: ");
    out += (is_trouble ? painted(Level::kBad, line) : line) + '\n';
  }
  return out;
}

}  // namespace tandem::ctl
