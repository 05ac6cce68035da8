#include "server/storage/file_system.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem::storage {

Error io_error(std::string_view name, std::string_view what, boost::system::error_code error) {
  return Error{"I/O error", fmt::format("{}: {}", name, what), std::nullopt, error.message()};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return path.substr(0, std::max<std::size_t>(slash, 1));
}

std::string lock_path_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
  return fmt::format("{}.{}.~lock~", path.substr(0, name), path.substr(name));
}

IoResult<void> copy_range(const File& from, std::uint64_t begin, std::uint64_t end, File& to,
                          std::uint64_t offset) {
  constexpr std::uint64_t kChunk = 1 << 20;  // bytes
  if (begin == end) return {};
  const auto buffer = std::make_unique_for_overwrite<char[]>(std::min(kChunk, end - begin));
  while (begin < end) {
    const auto wanted = static_cast<std::size_t>(std::min(kChunk, end - begin));
    const IoResult<std::size_t> got = from.read_at(begin, {buffer.get(), wanted});
    if (!got) return got.error();
    if (*got < wanted) return boost::system::errc::make_error_code(boost::system::errc::io_error);
    const std::string_view piece(buffer.get(), wanted);
    if (const IoResult<void> written = to.write_at(offset, {&piece, 1}); !written) return written;
    begin += wanted;
    offset += wanted;
  }
  return {};
}

}  // namespace tandem::storage
