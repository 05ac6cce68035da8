#include "server/storage/log_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#include "server/storage/overwriting.h"
#include "server/storage/record_search.h"
#include "server/storage/sha1.h"

// Plain reads into one buffer, not mmap: a bad sector is then an error with a text instead of a
// SIGBUS, and the fake file system of the tests can stand in. The copy costs 57 MB 10 ms, against
// 50 ms of SHA-1.

namespace tandem::storage {
namespace {

constexpr std::size_t kReadSize = 1 << 20;  // bytes
/// Memory is taken for a longer body only when its digest is known to be right: what rubbish
/// promises costs none. Reading such a one twice takes a hundredth of what its JSON does.
constexpr std::uint64_t kTakenAtOnce = 64 << 20;  // bytes

/// The first line in `text`, or what there is of it.
std::string_view first_line(std::string_view text) {
  text = text.substr(0, kMaxHeader);
  return text.substr(0, text.find('\n'));
}

Error refusal(std::string_view file_name, std::string_view why) {
  return Error{"ovsdb error", fmt::format("{}: {}", file_name, why), std::nullopt};
}

/// Reading has failed.
Error read_error(std::string_view file_name, std::string_view what,
                 boost::system::error_code error) {
  if (error == kCutMeanwhile)
    return refusal(file_name, "was compacted or cut off while it was read; try again");
  return io_error(file_name, what, error);
}

}  // namespace

LogReader::LogReader(const File& file, std::string_view file_name)
    : file_(file), file_name_(file_name) {}

Result<std::optional<Record>> LogReader::next() {
  if (const IoResult<void> read = fill(kMaxHeader); !read)
    return fail_reading(read.error(), kMaxHeader, position_);
  if (window().empty()) return end_clean();
  const std::string_view line = first_line(window());
  const std::optional<RecordHeader> header = parse_header(line);
  if (!header || header->magic != kStandaloneMagic)
    return fail_bad(bad_header(file_name_, position_, line));

  const RecordSha1 expected = header->sha1;
  const std::uint64_t length = header->length;
  const std::size_t header_size = line.size() + 1;
  const std::uint64_t body_offset = position_ + header_size;
  if (const auto fits =
          [&] { return body_offset <= file_size_ && file_size_ - body_offset >= length; };
      !fits()) {
    // Asked before memory is taken for a length that may be rubbish.
    const IoResult<std::uint64_t> file_size = file_.size();
    if (!file_size) return fail_reading(file_size.error(), length, body_offset);
    file_size_ = *file_size;
    if (!fits())
      return fail_bad(Error{"I/O error",
                            fmt::format("{}: error reading {} bytes starting at offset {}",
                                        file_name_, length, body_offset),
                            std::nullopt, "End of file"});
  }
  std::optional<RecordSha1> known;
  if (length > kTakenAtOnce) {
    const IoResult<std::optional<RecordSha1>> read =
        sha1_of(file_, body_offset, body_offset + length);
    if (!read) return fail_reading(read.error(), length, body_offset);
    if (!*read) return fail_cut(length, body_offset);
    known = *read;
    if (*known != expected) return fail_bad(wrong_sha1(length, body_offset, *known, expected));
  }
  const std::size_t record_size = header_size + static_cast<std::size_t>(length);
  if (const IoResult<void> read = fill(record_size); !read)
    return fail_reading(read.error(), length, body_offset);
  if (window().size() < record_size) return fail_cut(length, body_offset);

  const std::string_view body = window().substr(header_size, static_cast<std::size_t>(length));
  const RecordSha1 actual = known ? *known : Sha1().add(body).finish();
  if (actual != expected) return fail_bad(wrong_sha1(length, body_offset, actual, expected));

  const Record record{
      file_name_, index_, position_, body_offset, body, actual, file_size_ - body_offset - length};
  index_++;
  last_at_ = position_;
  last_sha1_ = actual;
  position_ += record_size;
  begin_ += record_size;
  return std::optional<Record>(record);
}

IoResult<void> LogReader::fill(std::size_t count) {
  if (filled_ - begin_ >= count) return {};
  const std::size_t kept = filled_ - begin_;
  if (count > capacity_) {
    const std::size_t capacity = std::max(count, kReadSize);
    auto buffer = std::make_unique_for_overwrite<char[]>(capacity);
    if (kept) std::memcpy(buffer.get(), buffer_.get() + begin_, kept);
    buffer_ = std::move(buffer);
    capacity_ = capacity;
  } else if (kept) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, kept);
  }
  begin_ = 0;
  filled_ = kept;
  const IoResult<std::size_t> got =
      file_.read_at(position_ + kept, {buffer_.get() + kept, capacity_ - kept});
  if (!got) return got.error();
  filled_ += *got;
  return {};
}

Error LogReader::wrong_sha1(std::uint64_t length, std::uint64_t offset, const RecordSha1& actual,
                            const RecordSha1& expected) const {
  return Error{"syntax error",
               fmt::format("{}: {} bytes starting at offset {} have SHA-1 hash {} but should have "
                           "hash {}",
                           file_name_, length, offset, to_hex(actual), to_hex(expected)),
               std::nullopt};
}

Result<std::optional<Record>> LogReader::fail(LogEnd end, Error error) {
  end_ = end;
  return error;
}

Result<std::optional<Record>> LogReader::fail_reading(boost::system::error_code error,
                                                      std::uint64_t bytes, std::uint64_t offset) {
  return fail(LogEnd::kNoRead,
              read_error(file_name_,
                         fmt::format("error reading {} bytes starting at offset {}", bytes, offset),
                         error));
}

/// The file has fewer bytes than it had when it was asked for its size.
Result<std::optional<Record>> LogReader::fail_cut(std::uint64_t bytes, std::uint64_t offset) {
  if (const Result<void> undisturbed = check_undisturbed(); !undisturbed)
    return fail(LogEnd::kNoRead, undisturbed.error());
  return fail_reading(boost::system::errc::make_error_code(boost::system::errc::io_error), bytes,
                      offset);
}

Result<std::optional<Record>> LogReader::end_clean() {
  if (const Result<void> undisturbed = check_undisturbed(); !undisturbed)
    return fail(LogEnd::kNoRead, undisturbed.error());
  end_ = LogEnd::kClean;
  return std::optional<Record>();
}

Result<void> LogReader::check_undisturbed() const {
  const IoResult<std::uint64_t> size = file_.size();
  if (!size) return io_error(file_name_, "read failed", size.error());
  const IoResult<std::optional<StagedContents>> staged = find_staged(file_);
  if (!staged) return read_error(file_name_, "read failed", staged.error());
  const IoResult<bool> opening = is_staging(file_, 0);
  if (!opening) return read_error(file_name_, "read failed", opening.error());
  if (!*staged && !*opening && has_what_was_read() &&
      *size >= std::max<std::uint64_t>(file_size_, position_ + window().size()))
    return {};
  return read_error(file_name_, "read failed", kCutMeanwhile);
}

/// The file still begins and goes on as it did: nobody has overwritten it.
bool LogReader::has_what_was_read() const {
  std::string text(kMaxHeader, '\0');
  if (index_ > 0) {
    const IoResult<std::size_t> got = file_.read_at(last_at_, text);
    if (!got) return got.error() != kCutMeanwhile;  // others are for who reads on to tell
    const auto header = parse_header(first_line({text.data(), *got}));
    if (!header || header->sha1 != last_sha1_) return false;
  }
  const std::string_view seen = window().substr(0, kMaxHeader);
  text.resize(seen.size());
  const IoResult<std::size_t> got = file_.read_at(position_, text);
  if (!got) return got.error() != kCutMeanwhile;
  return *got == seen.size() && text == seen;
}

Result<std::optional<Record>> LogReader::fail_bad(Error error) {
  IoResult<RecordSearch> search = RecordSearch::begin(file_, position_ + 1);
  const IoResult<std::optional<RecordPlace>> place =
      search ? search->next() : IoResult<std::optional<RecordPlace>>(search.error());
  // Only now: whatever was found counts if the file is what it was.
  if (const Result<void> undisturbed = check_undisturbed(); !undisturbed)
    return fail(LogEnd::kNoRead, undisturbed.error());
  // What cannot be read may be whole.
  if (!place) return fail_reading(place.error(), kMaxHeader, position_);
  if (!*place) return begins_staged(window()) ? end_clean() : fail(LogEnd::kTorn, std::move(error));
  next_whole_ = (*place)->begin;
  return fail(LogEnd::kDamaged, std::move(error));
}

void LogReader::skip_damage() {
  assert(end_ == LogEnd::kDamaged && "only damage has whole records behind it");
  end_ = LogEnd::kNotYet;
  position_ = next_whole_;
  begin_ = filled_ = 0;
}

Result<void> check_file_type(const File& file, std::string_view file_name) {
  char start[kMaxHeader];
  const IoResult<std::size_t> got = file.read_at(0, start);
  if (!got) return read_error(file_name, "read failed", got.error());
  const auto refuse = [&](std::string_view why) { return refusal(file_name, why); };
  if (*got == 0) return refuse("cannot identify file type");
  const std::optional<RecordHeader> header = parse_header(first_line({start, *got}));
  if (!header) {
    const IoResult<bool> overwritten = is_staging(file, 0);
    if (!overwritten) return io_error(file_name, "read failed", overwritten.error());
    return refuse(*overwritten ? "is being compacted; try again" : "unexpected file format");
  }
  if (header->magic == kClusterMagic)
    return refuse(
        "clustered databases are not supported; convert the file with \"ovsdb-tool "
        "cluster-to-standalone\"");
  if (header->magic != kStandaloneMagic) return refuse("cannot identify file type");
  return {};
}

}  // namespace tandem::storage
