#pragma once

// Catch2 3 by the names that Catch2 2 has, for the tests that use either. Only builds with Catch2 3
// look into this folder.

#include <catch2/catch_all.hpp>
#include <string>

namespace Catch {

inline auto Contains(const std::string& text) { return Matchers::ContainsSubstring(text); }
using Matchers::EndsWith;
using Matchers::StartsWith;

}  // namespace Catch
