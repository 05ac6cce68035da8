#include "server/storage/overwriting.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "server/storage/sha1.h"

// A file whose name is a mount point cannot be replaced, only overwritten, and a crash in between
// must not cost what is in it. So the new contents are first written behind the old ones in the
// same file, and synced. From then on they are what the file holds: whoever opens it next puts them
// in their place. Only then are the old ones overwritten, and the rest is cut off. On the way the
// file begins with the opening line: a program that knows nothing of all this, as ovsdb-server,
// finds all the records or no database, but never one that has lost some.
//
//     old records | opening line | (filling) | new contents, each byte inverted | closing line
//
// The closing line stands at the end of the file, where it is found, and says where the contents
// are and their SHA-1. They begin far enough behind the start that they do not overwrite
// themselves, and behind a filling, so that the disk has given all the room before. Inverted they
// hold no record, whatever clients have written: after a crash on the way there the file has a torn
// tail, and no record behind damage. All is synced piece by piece: none takes long. (Rejected: a
// second file beside the first. Where a single file is mounted, as into a container, the folder
// around it is often lost with the process.)

namespace tandem::storage {
namespace {

constexpr std::string_view kOpening =
    "TANDEM COMPACTION IN PLACE: a start of tandem-server finishes it\n";
constexpr std::string_view kClosing = "TANDEM COMPACTED";
constexpr std::size_t kClosingSize = 100;  // bytes, of the whole line
constexpr std::size_t kChunk = 1 << 20;    // bytes
constexpr std::size_t kSyncEvery = 8 * kChunk;

std::string closing_line(const StagedContents& staged, const RecordSha1& sha1) {
  return fmt::format("{} {:020} {:020} {}\n", kClosing, staged.begin, staged.size, to_hex(sha1));
}

/// Reads `size` bytes from `begin` on, and hands them out in pieces that may be changed.
/// kCutMeanwhile if there are fewer.
template <class Take>
IoResult<void> read_pieces(const File& from, std::uint64_t begin, std::uint64_t size, Take&& take) {
  std::string piece;
  for (std::uint64_t done = 0; done < size; done += piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, size - done)));
    const IoResult<std::size_t> got = from.read_at(begin + done, piece);
    if (!got) return got.error();
    if (*got < piece.size()) return kCutMeanwhile;
    if (const IoResult<void> taken = take(done, piece); !taken) return taken;
  }
  return {};
}

IoResult<void> write(File& file, std::uint64_t offset, std::string_view text) {
  return file.write_at(offset, {&text, 1});
}

/// A piece of something long that began `done` bytes before it, which is synced on the way.
IoResult<void> write_piece(File& file, std::uint64_t begin, std::uint64_t done,
                           std::string_view piece) {
  if (const IoResult<void> written = write(file, begin + done, piece); !written) return written;
  if ((done + piece.size()) % kSyncEvery != 0) return {};
  return file.sync();
}

IoResult<void> fill(File& file, std::uint64_t begin, std::uint64_t end) {
  const std::string filling(kChunk, '.');
  for (std::uint64_t done = 0; begin + done < end; done += kChunk) {
    const std::string_view piece =
        std::string_view(filling).substr(0, static_cast<std::size_t>(end - begin - done));
    if (const IoResult<void> written = write_piece(file, begin, done, piece); !written)
      return written;
  }
  return {};
}

std::optional<std::uint64_t> number_at(std::string_view line, std::size_t offset) {
  const char* const begin = line.data() + offset;
  std::uint64_t number = 0;
  const auto [stop, problem] = std::from_chars(begin, begin + 20, number);
  if (problem != std::errc() || stop != begin + 20) return std::nullopt;
  return number;
}

/// An error code would be a bool, too.
IoResult<bool> unknown(boost::system::error_code error) {
  return {boost::system::in_place_error, error};
}

}  // namespace

void invert(std::span<char> bytes) {
  for (char& byte : bytes) byte = static_cast<char>(~byte);
}

IoResult<void> stage_contents(File& file, std::uint64_t end, const File& contents,
                              std::uint64_t size) {
  const StagedContents staged{std::max(end + kOpening.size(), size), size};
  if (IoResult<void> opened = write(file, end, kOpening); !opened) return opened;
  Sha1 sha1;
  const auto put = [&](std::uint64_t offset, std::string& piece) {
    sha1.add(piece);
    invert(piece);
    return write_piece(file, staged.begin, offset, piece);
  };
  IoResult<void> done = fill(file, end + kOpening.size(), staged.begin);
  if (done) done = read_pieces(contents, 0, size, put);
  if (done) done = write(file, staged.begin + size, closing_line(staged, sha1.finish()));
  if (done) done = file.sync();
  return done;
}

IoResult<std::optional<StagedContents>> find_staged(const File& file) {
  const std::optional<StagedContents> none;
  const IoResult<std::uint64_t> file_size = file.size();
  if (!file_size) return file_size.error();
  if (*file_size < kClosingSize) return none;
  std::string line(kClosingSize, '\0');
  const IoResult<std::size_t> got = file.read_at(*file_size - kClosingSize, line);
  if (!got) return got.error();
  if (*got < kClosingSize || !line.starts_with(kClosing)) return none;
  const auto begin = number_at(line, kClosing.size() + 1);
  const auto size = number_at(line, kClosing.size() + 22);
  if (!begin || !size || *size < kOpening.size() || *size > *begin || *begin > *file_size ||
      *file_size - *begin != *size + kClosingSize)
    return none;
  const StagedContents staged{*begin, *size};
  // The line may have come to the disk before all that it speaks of.
  Sha1 sha1;
  const auto add = [&](std::uint64_t, std::string& piece) -> IoResult<void> {
    invert(piece);
    sha1.add(piece);
    return {};
  };
  const IoResult<void> read = read_pieces(file, staged.begin, staged.size, add);
  if (!read) return read.error();
  if (line != closing_line(staged, sha1.finish())) return none;
  return std::optional(staged);
}

IoResult<bool> settle_staged(File& file) {
  const IoResult<std::optional<StagedContents>> staged = find_staged(file);
  if (!staged) return unknown(staged.error());
  if (!*staged) return false;
  const auto [begin, size] = **staged;
  const auto put = [&, begin = begin](std::uint64_t from, std::uint64_t to) {
    return read_pieces(file, begin + from, to - from, [&](std::uint64_t done, std::string& piece) {
      invert(piece);
      return write_piece(file, from, done, piece);
    });
  };
  // Each step rests on the one before. What is staged goes last.
  const std::uint64_t start = kOpening.size();
  IoResult<void> done = write(file, 0, kOpening);
  if (done) done = file.sync();
  if (done) done = put(start, size);
  if (done) done = file.sync();
  if (done) done = put(0, start);
  if (done) done = file.sync();
  if (done) done = file.truncate(size);
  if (!done) return unknown(done.error());
  return true;
}

IoResult<bool> is_staging(const File& file, std::uint64_t offset) {
  std::string text(kOpening.size(), '\0');
  const IoResult<std::size_t> got = file.read_at(offset, text);
  if (!got) return unknown(got.error());
  return begins_staged(std::string_view(text).substr(0, *got));
}

bool begins_staged(std::string_view text) {
  return !text.empty() && kOpening.starts_with(text.substr(0, kOpening.size()));
}

}  // namespace tandem::storage
