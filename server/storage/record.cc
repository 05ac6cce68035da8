#include "server/storage/record.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "protocol/hex.h"
#include "protocol/json/json_reader.h"
#include "server/storage/sha1.h"

namespace tandem::storage {
namespace {

constexpr std::string_view kPrefix = "OVSDB ";

std::optional<RecordSha1> parse_hex(std::string_view text) {
  RecordSha1 sha1;
  if (text.size() != 2 * sha1.size()) return std::nullopt;
  unsigned all = 0;
  for (std::size_t i = 0; i < sha1.size(); i++) {
    std::uint64_t byte = 0;
    all |= read_hex(text.substr(2 * i, 2), byte);
    sha1[i] = static_cast<std::byte>(byte);
  }
  return all >= kNoHexDigit ? std::nullopt : std::optional(sha1);
}

Error bad_body(const Record& record, std::string_view what) {
  return Error{"syntax error",
               fmt::format("{}: {} bytes starting at offset {} are {}", record.file_name,
                           record.body.size(), record.body_offset, what),
               std::nullopt};
}

}  // namespace

std::optional<RecordHeader> parse_header(std::string_view line) {
  if (!line.starts_with(kPrefix)) return std::nullopt;
  line.remove_prefix(kPrefix.size());
  const std::size_t magic_end = line.find(' ');
  if (magic_end == 0 || magic_end == std::string_view::npos) return std::nullopt;
  const std::size_t length_end = line.find(' ', magic_end + 1);
  if (length_end == std::string_view::npos) return std::nullopt;

  RecordHeader header;
  header.magic = line.substr(0, magic_end);
  const char* const last = line.data() + length_end;
  const auto [end, failure] = std::from_chars(line.data() + magic_end + 1, last, header.length);
  const std::optional<RecordSha1> sha1 = parse_hex(line.substr(length_end + 1));
  if (failure != std::errc() || end != last || header.length == 0 || header.length > INT64_MAX ||
      !sha1)
    return std::nullopt;
  header.sha1 = *sha1;
  return header;
}

std::string format_header(std::uint64_t length, const RecordSha1& sha1, int min_digits) {
  // By hand: formatting cost as much as hashing a short record.
  const std::string digits = std::to_string(length);
  std::string line;
  line.reserve(80);
  line += kPrefix;
  line += kStandaloneMagic;
  line += ' ';
  line.append(std::max(static_cast<std::size_t>(min_digits), digits.size()) - digits.size(), '0');
  line += digits;
  line += ' ';
  line += to_hex(sha1);
  line += '\n';
  return line;
}

Error bad_header(std::string_view file_name, std::uint64_t offset, std::string_view line) {
  // ovsdb-server shows the line as far as its parser got: up to the magic, or else up to a null
  // byte.
  std::string_view shown = line.substr(0, line.find('\0'));
  if (shown.starts_with(kPrefix)) shown = shown.substr(0, shown.find(' ', kPrefix.size()));
  return Error{
      "syntax error",
      fmt::format("{}: parse error at offset {} in header line \"{}\"", file_name, offset, shown),
      std::nullopt};
}

PreparedRecord prepare_record(std::string_view body) {
  const RecordSha1 sha1 = Sha1().add(body).add("\n").finish();
  return PreparedRecord{format_header(body.size() + 1, sha1), body, sha1};
}

Result<JsonDocument> Record::object() const {
  Result<JsonDocument> value = parse_json(body);
  if (!value) return bad_body(*this, fmt::format("not valid JSON ({})", value.error().details));
  if (!value->root().is_object()) return not_an_object();
  return value;
}

Error Record::not_an_object() const { return bad_body(*this, "not a JSON object"); }

}  // namespace tandem::storage
