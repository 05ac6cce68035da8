#pragma once

// What may be wrong with the members of an object, in ovsdb-server's words. Before each stands
// "Parsing WHAT failed: ".

#include <cstddef>
#include <string>
#include <string_view>

namespace tandem {

std::string missing_member(std::string_view name);
std::string mistyped_member(std::string_view name);
/// `first` of the `count` members that nobody asked for.
std::string superfluous_members(std::string_view first, std::size_t count);

}  // namespace tandem
