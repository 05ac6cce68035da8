#include "server/ctl/table.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem::ctl {

std::string table_text(const std::vector<Cells>& lines,
                       const std::function<std::string(std::size_t, const std::string&)>& paint) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const Cells& cells : lines) {
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], cells[i].size());
  }
  std::string table;
  for (std::size_t number = 0; number < lines.size(); ++number) {
    const Cells& cells = lines[number];
    std::string text;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i)
      text += fmt::format("{:<{}}  ", cells[i], widths[i]);
    text += cells.back();
    table += (paint ? paint(number, text) : text) + '\n';
  }
  return table;
}

}  // namespace tandem::ctl
