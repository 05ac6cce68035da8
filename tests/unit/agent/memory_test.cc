#include "ocf/agent/decision/memory.h"

#include <catch2/catch.hpp>

namespace tandem::agent {
namespace {

TEST_CASE("A memory is read back as it was written") {
  Memory memory;
  memory.started = memory.keeping = memory.in_sync[Which::kSb] = true;
  memory.score = "-INFINITY";
  memory.alone_since = 17;
  memory.repaired[Which::kNb] = {1, 2};
  memory.granted_ms = 40000;
  memory.taken_epoch[Which::kNb] = Epoch{7};
  CHECK(Memory::from_text(memory.to_text()) == memory);
}

TEST_CASE("A memory may hold names that are not UTF-8") {
  Memory memory;
  memory.copies = "node\xff";
  CHECK(Memory::from_text(memory.to_text()) == memory);
}

TEST_CASE("Nothing is taken over from a memory of another format, nor from what is none") {
  CHECK(Memory::from_text(R"({"format": 3, "started": true})") == Memory{});
  CHECK(Memory::from_text(R"({"started": true})") == Memory{});
  CHECK(Memory::from_text("17 40\n") == Memory{});
  CHECK(Memory::from_text(R"({"format": 2, "started": 7, "score": []})") == Memory{});
}

}  // namespace
}  // namespace tandem::agent
