#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/json/json_document.h"
#include "replication/position.h"

/// One record of a log file (ovsdb(5)): a header line `OVSDB JSON LENGTH SHA1`, then LENGTH bytes
/// that are a JSON object and a newline. Opaque text here, but for the comment.
namespace tandem::storage {

inline constexpr std::string_view kStandaloneMagic = "JSON";
inline constexpr std::string_view kClusterMagic = "CLUSTER";

/// Longest header line that is looked at, in bytes.
inline constexpr std::size_t kMaxHeader = 127;

struct RecordHeader {
  std::string_view magic;    ///< points into the line
  std::uint64_t length = 0;  ///< bytes of the body with its newline, at least 1
  RecordSha1 sha1{};
};

/// Reads a header line without its newline. Nothing if it is not one.
std::optional<RecordHeader> parse_header(std::string_view line);
/// The line with its newline. The length is filled up with zeros to `min_digits`.
std::string format_header(std::uint64_t length, const RecordSha1& sha1, int min_digits = 1);

/// The error for a line that is no header of a standalone database, in ovsdb-server's words.
Error bad_header(std::string_view file_name, std::uint64_t offset, std::string_view line);

/// A record ready to be appended. Its SHA-1, and so the position after it, is known before it is
/// written.
struct PreparedRecord {
  std::string header;
  std::string_view body;  ///< without newline; the caller's, who keeps it until it is written
  RecordSha1 sha1;

  std::uint64_t size() const { return header.size() + body.size() + 1; }
};

/// Requires a JSON object without newlines.
PreparedRecord prepare_record(std::string_view body);

/// A record as read from a file. Borrows the reader's buffer.
struct Record {
  std::string_view file_name;
  std::size_t index;          ///< in the file: 0 is the schema
  std::uint64_t offset;       ///< of the header
  std::uint64_t body_offset;  ///< of the body
  std::string_view body;      ///< as in the file: usually ends in a newline
  RecordSha1 sha1;
  std::uint64_t bytes_behind = 0;  ///< that the file had after this record when it was first read

  /// The body, which has to be a JSON object; the error says where it stands.
  Result<JsonDocument> object() const;
  /// The error for a body that is JSON, but no object.
  Error not_an_object() const;
};

/// The top-level `_comment` of a record body, unescaped, found without building the JSON: empty if
/// there is none, nothing if the body is not a JSON object.
std::optional<std::string> record_comment(std::string_view body);

}  // namespace tandem::storage
