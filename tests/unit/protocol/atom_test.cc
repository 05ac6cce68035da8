#include "protocol/atom.h"

#include <catch2/catch.hpp>

using namespace tandem;

namespace {

std::string text(const AtomView& atom) {
  std::string out;
  append_atom_text(out, atom);
  return out;
}

std::string json_text(const AtomView& atom) {
  std::string out;
  append_atom_json(out, atom);
  return out;
}

const Uuid kUuid = *Uuid::parse("550e8400-e29b-41d4-a716-446655440000");

}  // namespace

TEST_CASE("atoms of one type are totally ordered") {
  CHECK((compare(std::int64_t{-1}, std::int64_t{1}) < 0));
  CHECK((compare(1.5, 1.25) > 0));
  CHECK((compare(0.0, -0.0) == 0));
  CHECK((compare(false, true) < 0));
  CHECK((compare(std::string_view("a"), std::string_view("ab")) < 0));
  CHECK((compare(std::string_view("\x7f"), std::string_view("\xc3")) < 0));
  CHECK((compare(Uuid(), kUuid) < 0));
}

TEST_CASE("atoms print as JSON") {
  CHECK(json_text(std::int64_t{-5}) == "-5");
  CHECK(json_text(2.5) == "2.5");
  CHECK(json_text(true) == "true");
  CHECK(json_text(std::string_view("a\n")) == R"("a\n")");
  CHECK(json_text(kUuid) == R"(["uuid","550e8400-e29b-41d4-a716-446655440000"])");
}

TEST_CASE("messages show words bare and all other strings in quotes") {
  for (const auto* bare : {"a1", "_a", "A", "a-b", "a-", "a.b", "a_b", "deadbeef", "null", "set"}) {
    CHECK(text(std::string_view(bare)) == bare);
  }
  for (const auto* other :
       {"", "-a", "1a", "a:b", "a b", "a/b", "a=b", "true", "false", "é", "\x7f",
        "550e8400-e29b-41d4-a716-446655440000", "abcdef00-e29b-41d4-a716-446655440000"}) {
    CHECK(text(std::string_view(other)) == '"' + std::string(other) + '"');
  }
  CHECK(text(std::string_view("a\"\n")) == R"("a\"\n")");
  CHECK(text(kUuid) == "550e8400-e29b-41d4-a716-446655440000");
}

TEST_CASE("an atom owns what the view borrowed") {
  std::string source = "a string that is too long to be stored in place";
  const Atom atom{AtomView(std::string_view(source))};
  source.assign(source.size(), 'x');
  CHECK(std::get<std::string_view>(atom.view()) ==
        "a string that is too long to be stored in place");
  CHECK(Atom(AtomView(true)).type() == AtomicType::kBoolean);
  CHECK(Atom(AtomView(kUuid)).view() == AtomView(kUuid));
}
