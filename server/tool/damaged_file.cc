#include "server/tool/damaged_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "server/storage/log_reader.h"
#include "server/storage/staged_file.h"

namespace tandem::tool {
namespace {

constexpr std::size_t kPieceSize = 1 << 20;  // bytes

storage::IoResult<std::uint64_t> lines_before(const storage::File& file, std::uint64_t offset) {
  std::vector<char> piece(kPieceSize);
  std::uint64_t lines = 0;
  for (std::uint64_t at = 0; at < offset;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(offset - at, kPieceSize));
    const storage::IoResult<std::size_t> got = file.read_at(at, std::span(piece).first(wanted));
    if (!got) return got.error();
    if (*got == 0) break;
    const auto end = piece.begin() + static_cast<std::ptrdiff_t>(*got);
    lines += static_cast<std::uint64_t>(std::count(piece.begin(), end, '\n'));
    at += *got;
  }
  return lines;
}

/// The gap at which the reader has come to its end; the reader goes on behind it, if there is more.
Result<Gap> read_gap(const storage::File& file, const std::string& path, storage::LogReader& reader,
                     std::uint64_t record, const Error& error) {
  Gap gap{.begin = reader.end_of_records(), .record = record, .error = error};
  const storage::IoResult<std::uint64_t> lines = lines_before(file, gap.begin);
  const storage::IoResult<std::uint64_t> size = file.size();
  if (!lines || !size)
    return storage::io_error(path, "read failed", lines ? size.error() : lines.error());
  gap.line = *lines + 1;
  gap.is_tail = reader.end() == storage::LogEnd::kTorn;
  if (!gap.is_tail) reader.skip_damage();
  gap.end = gap.is_tail ? *size : reader.end_of_records();
  return gap;
}

}  // namespace

std::string Gap::to_string() const {
  return fmt::format("offset {} to {}, line {}, record {} ({})", begin, end, line, record,
                     error.to_string());
}

Result<void> for_each_piece(storage::FileSystem& files, const std::string& path,
                            const std::function<Result<void>(const storage::Record&)>& whole,
                            const std::function<void(const Gap&)>& gap) {
  storage::IoResult<std::unique_ptr<storage::File>> file = storage::open_to_read(files, path);
  if (!file) return storage::io_error(path, "open failed", file.error());
  storage::LogReader reader(**file, path);
  const Result<void> standalone = storage::check_file_type(**file, path);
  for (std::uint64_t record = 0;;) {
    const Result<std::optional<storage::Record>> next = reader.next();
    if (next && !*next) return record > 0 ? Result<void>() : standalone;
    if (next) {
      if (Result<void> visited = whole(**next); !visited) return visited;
      record++;
      continue;
    }
    if (reader.end() == storage::LogEnd::kNoRead) return next.error();
    // A file of another kind has no whole record.
    if (reader.end() == storage::LogEnd::kTorn && record == 0 && !standalone) return standalone;
    const Result<Gap> found = read_gap(**file, path, reader, record, next.error());
    if (!found) return found.error();
    gap(*found);
    if (found->is_tail) return {};
  }
}

}  // namespace tandem::tool
