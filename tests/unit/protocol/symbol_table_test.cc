#include "protocol/symbol_table.h"

#include <catch2/catch.hpp>

using namespace tandem;

TEST_CASE("a named-uuid has one UUID for the whole transaction") {
  SymbolTable symbols;
  const Uuid a = symbols.get("a").uuid;
  CHECK_FALSE(a.is_zero());
  CHECK(symbols.get("b").uuid != a);
  CHECK(symbols.get("a").uuid == a);
  CHECK_FALSE(symbols.get("a").created);
  CHECK(symbols.all().size() == 2);
}
