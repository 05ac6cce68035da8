// Database schemas, as in files and in "convert".

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  using namespace tandem::fuzz;
  const auto schema = DatabaseSchema::from_text({reinterpret_cast<const char*>(data), size});
  if (!schema) return 0;
  const std::string text = to_text(**schema);
  const auto again = DatabaseSchema::from_text(text);
  require(again.has_value(), "a schema that is accepted is written as one that is");
  require(to_text(**again) == text, "a schema is written as it is read");
  const Database database(*schema);
  contents_of(database);
  return 0;
}
