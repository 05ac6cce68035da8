#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "server/tool/command.h"
#include "tests/support/fake_file_system.h"
#include "tests/support/print.h"

namespace tandem::test {

/// Runs commands of the tool on a fake disk.
class ToolFixture {
 public:
  ToolFixture() {
    disk.put("schema", R"({"name":"lab","version":"1.2.3","tables":{"T":{"columns":{
      "name":{"type":"string"},"tags":{"type":{"key":"string","min":0,"max":"unlimited"}}}}}})");
  }

  /// The exit status; what is printed is in `output`.
  Result<int> run(const std::vector<std::string>& words) {
    tool::Invocation invocation;
    invocation.command = words[0];
    invocation.arguments.assign(words.begin() + 1, words.end());
    invocation.more = 2;
    std::ostringstream out;
    const SystemClock clock;
    Result<int> status = tool::run_command({invocation, disk, clock, out});
    output = out.str();
    return status;
  }

  /// What a command that must succeed prints.
  std::string print(const std::vector<std::string>& words) {
    const Result<int> status = run(words);
    REQUIRE(status == tool::kDone);
    return output;
  }

  std::string failure(const std::vector<std::string>& words) {
    const Result<int> status = run(words);
    REQUIRE(!status);
    return status.error().to_string();
  }

  FakeFileSystem disk;
  std::string output;
};

inline constexpr const char* kInsert =
    R"(["lab",{"op":"insert","table":"T","uuid":"00000000-0000-4000-8000-000000000001",)"
    R"("row":{"name":"one","tags":["set",["a","b"]]}}])";

}  // namespace tandem::test
