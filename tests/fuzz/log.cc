// Database files. Input that begins with "OVSDB" is a file; any other is the bodies of its records,
// one a line, which get headers: no mutation finds a SHA-1.

#include "server/database/stored_database.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/fake_file_system.h"

namespace tandem::fuzz {
namespace {

constexpr const char* kFile = "/db/file";

std::string file_of(std::string_view input) {
  if (input.starts_with("OVSDB")) return std::string(input);
  std::string file;
  for (const std::string_view line : lines_of(input)) {
    file += storage::prepare_record(line).header;
    file += line;
    file += '\n';
  }
  return file;
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  using namespace tandem::fuzz;
  const SystemClock clock;
  test::FakeFileSystem files;
  files.put(kFile, file_of({reinterpret_cast<const char*>(data), size}));
  std::string contents;
  {
    auto stored = StoredDatabase::open(files, kFile, {}, clock);
    if (!stored) return 0;
    (*stored)->replace_damage();
    (*stored)->stage_comment("x");  // cuts off what could not be read
    require((*stored)->flush().has_value(), "a file that is served can be written to");
    contents = contents_of((*stored)->database());
  }
  auto again = StoredDatabase::open(files, kFile, {}, clock);
  require(again.has_value(), "what was served once is served again");
  require(!(*again)->log()->tail_error(), "a file that was cut is whole");
  require(contents_of((*again)->database()) == contents, "a file is read the same twice");
  return 0;
}
