#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/storage/log_file.h"
#include "server/storage/record.h"

namespace tandem::test {

inline constexpr std::string_view kSchema = R"({"name":"T","tables":{},"version":"1.0.0"})";

/// The bytes of a record in a file.
inline std::string record_text(std::string_view body) {
  const storage::PreparedRecord record = storage::prepare_record(body);
  return record.header + std::string(body) + "\n";
}

/// The bytes of a file with the schema above and these records.
inline std::string log_text(const std::vector<std::string>& bodies) {
  std::string text = record_text(kSchema);
  for (const std::string& body : bodies) text += record_text(body);
  return text;
}

/// Keeps the bodies that a log replays, without their newlines.
struct Bodies {
  std::vector<std::string> all;

  storage::LogFile::Replay replay() {
    return [this](const storage::Record& record) -> Result<void> {
      all.emplace_back(record.body.substr(0, record.body.size() - 1));
      return {};
    };
  }
};

}  // namespace tandem::test
