#pragma once

#include <functional>
#include <string>
#include <vector>

namespace tandem::ctl {

using Cells = std::vector<std::string>;

/// Lines of cells, of which there are as many in each, as columns of text; the first line is the
/// head. `paint` gets each line with its number, and may colour it.
std::string table_text(
    const std::vector<Cells>& lines,
    const std::function<std::string(std::size_t, const std::string&)>& paint = {});

}  // namespace tandem::ctl
