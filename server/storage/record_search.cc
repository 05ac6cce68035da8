#include "server/storage/record_search.h"

#include <algorithm>

#include "server/storage/record.h"

// A header is looked for anywhere, not only at the start of a line, since the newline before it may
// be what is damaged. No value can pass for one: JSON has no raw newline in a string, so a header
// with its newline stands between records and nowhere else.

namespace tandem::storage {
namespace {

constexpr std::size_t kBufferSize = 1 << 20;  // bytes
constexpr std::size_t kPieceSize = 256 << 10;
constexpr std::string_view kMarker = "OVSDB JSON ";

}  // namespace

RecordSearch::RecordSearch(const File& file, std::uint64_t from, std::uint64_t size)
    : file_(&file),
      at_(from),
      size_(size),
      in_vain_(4 * (size - std::min(size, from))),
      buffer_(kBufferSize) {}

IoResult<RecordSearch> RecordSearch::begin(const File& file, std::uint64_t from) {
  const IoResult<std::uint64_t> size = file.size();
  if (!size) return size.error();
  return RecordSearch(file, from, *size);
}

IoResult<std::optional<RecordPlace>> RecordSearch::next() {
  while (true) {
    const IoResult<std::string_view> text = window(at_, kMaxHeader + 1);
    if (!text) return text.error();
    if (text->size() < kMarker.size()) return std::optional<RecordPlace>();
    const std::size_t found = text->find(kMarker);
    if (found == std::string_view::npos) {
      at_ += text->size() - (kMarker.size() - 1);
      continue;
    }
    at_ += found;
    const IoResult<std::optional<std::uint64_t>> end = end_of_record(at_);
    if (!end) return end.error();
    if (*end) {
      const RecordPlace place{at_, **end};
      at_ = place.end;
      return std::optional(place);
    }
    at_ += kMarker.size();
  }
}

IoResult<std::string_view> RecordSearch::window(std::uint64_t offset, std::size_t least) {
  const auto held = [&]() -> std::string_view {
    if (offset < buffered_at_ || offset > buffered_at_ + buffered_) return {};
    return std::string_view(buffer_.data(), buffered_)
        .substr(static_cast<std::size_t>(offset - buffered_at_));
  };
  if (held().size() >= least) return held();
  const IoResult<std::size_t> got = file_->read_at(offset, buffer_);
  if (!got) return got.error();
  buffered_at_ = offset;
  buffered_ = *got;
  return held();
}

IoResult<std::optional<std::uint64_t>> RecordSearch::end_of_record(std::uint64_t offset) {
  const std::optional<std::uint64_t> none;
  const IoResult<std::string_view> text = window(offset, kMaxHeader + 1);
  if (!text) return text.error();
  const std::size_t newline = text->substr(0, kMaxHeader + 1).find('\n');
  if (newline == std::string_view::npos) return none;
  const std::optional<RecordHeader> header = parse_header(text->substr(0, newline));
  if (!header || header->magic != kStandaloneMagic) return none;
  const RecordSha1 expected = header->sha1;
  const std::uint64_t length = header->length;
  const std::uint64_t at = offset + newline + 1;
  if (at > size_ || length > size_ - at || length > in_vain_) return none;

  const IoResult<std::optional<RecordSha1>> actual = sha1_of(*file_, at, at + length);
  if (!actual) return actual.error();
  if (!*actual) return none;  // it became shorter
  if (**actual == expected) return std::optional(at + length);
  in_vain_ -= length;
  return none;
}

IoResult<std::optional<RecordSha1>> sha1_of(const File& file, std::uint64_t begin,
                                            std::uint64_t end) {
  std::vector<char> piece(
      static_cast<std::size_t>(std::min<std::uint64_t>(end - begin, kPieceSize)));
  Sha1 sha1;
  while (begin < end) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(end - begin, piece.size()));
    const IoResult<std::size_t> got = file.read_at(begin, std::span(piece).first(wanted));
    if (!got) return got.error();
    if (*got == 0) return std::optional<RecordSha1>();
    sha1.add({piece.data(), *got});
    begin += *got;
  }
  return std::optional(sha1.finish());
}

IoResult<std::uint64_t> count_whole_records(const File& file, std::uint64_t from) {
  IoResult<RecordSearch> search = RecordSearch::begin(file, from);
  if (!search) return search.error();
  std::uint64_t count = 0;
  while (true) {
    const IoResult<std::optional<RecordPlace>> place = search->next();
    if (!place) return place.error();
    if (!*place) return count;
    count++;
  }
}

}  // namespace tandem::storage
