#pragma once

#include <string>

#include "server/ctl/copies.h"
#include "server/ctl/verdict.h"

namespace tandem::ctl {

/// For people: the verdict, then a table with a line for each copy and each server that does not
/// answer. With `colours` a terminal shows what needs care.
std::string cluster_text(const Copies& all, bool colours);

/// The same for programs; docs/operating.md describes the members. What is read first comes first.
OrderedJson cluster_json(const Copies& all);

}  // namespace tandem::ctl
