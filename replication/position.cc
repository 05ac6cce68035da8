#include "replication/position.h"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace tandem {
namespace {

constexpr std::string_view kMark = "tandem: ";
constexpr std::string_view kPromotion = "tandem: promotion ";
constexpr std::string_view kSnapshot = "tandem: snapshot ";
constexpr std::string_view kEpochs = "tandem: epochs";
constexpr std::string_view kOrigin = "tandem: origin ";
constexpr std::string_view kOpened = "tandem: opened ";
constexpr std::uint64_t kMostOpenedMs = std::uint64_t{1} << 42;

void put_big_endian(std::uint64_t value, unsigned char* out) {
  for (int shift = 56; shift >= 0; shift -= 8) *out++ = static_cast<unsigned char>(value >> shift);
}

std::uint64_t get_big_endian(const unsigned char* in) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | in[i];
  return value;
}

/// H(digest before, SHA-1 of the record).
Uuid chain(const Uuid& before, std::span<const std::byte, 20> record_sha1) {
  unsigned char input[16 + 20];
  put_big_endian(before.hi, input);
  put_big_endian(before.lo, input + 8);
  std::memcpy(input + 16, record_sha1.data(), record_sha1.size());
  unsigned char hash[EVP_MAX_MD_SIZE];
  // Fetched once, and with a context a thread: a long log has some hundred thousand records.
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  // Only a broken OpenSSL has no SHA-256, and without digests nothing here makes sense.
  if (EVP_DigestInit_ex(context.get(), kSha256, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), input, sizeof input) != 1 ||
      EVP_DigestFinal_ex(context.get(), hash, nullptr) != 1)
    std::abort();
  return Uuid{get_big_endian(hash), get_big_endian(hash + 8)};
}

std::uint64_t number(Epoch epoch) { return static_cast<std::uint64_t>(epoch); }

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Both parsers accept only what the writers below would write: other spellings of a number or a
// UUID are no marks.

std::optional<Epoch> parse_promotion(std::string_view line) {
  std::string_view rest = line;
  std::uint64_t epoch = 0;
  if (!take(rest, kPromotion) || !take(rest, "epoch=") || !take_number(rest, epoch) ||
      line != promotion_mark(Epoch{epoch}))
    return std::nullopt;
  return Epoch{epoch};
}

std::optional<Position> parse_snapshot(std::string_view line) {
  std::string_view rest = line;
  std::uint64_t epoch = 0;
  std::uint64_t index = 0;
  if (!take(rest, kSnapshot) || !take(rest, "epoch=") || !take_number(rest, epoch) ||
      !take(rest, " index=") || !take_number(rest, index) || !take(rest, " digest="))
    return std::nullopt;
  const std::optional<Uuid> digest = Uuid::parse(rest);
  if (!digest) return std::nullopt;
  const Position position{Epoch{epoch}, index, *digest};
  if (position.epoch > kMaxEpoch || index > 2 * kMaxIndex || line != snapshot_mark(position))
    return std::nullopt;
  return position;
}

std::optional<std::vector<Position>> parse_epochs(std::string_view line) {
  std::string_view rest = line;
  if (!take(rest, kEpochs)) return std::nullopt;
  std::vector<Position> epochs;
  while (take(rest, " ")) {
    std::uint64_t epoch = 0;
    std::uint64_t index = 0;
    if (!take_number(rest, epoch) || !take(rest, "/") || !take_number(rest, index) ||
        !take(rest, "/"))
      return std::nullopt;
    const std::optional<Uuid> digest = Uuid::parse(rest.substr(0, rest.find(' ')));
    if (!digest) return std::nullopt;
    rest.remove_prefix(std::min(rest.find(' '), rest.size()));
    epochs.push_back({Epoch{epoch}, index, *digest});
  }
  if (line != epochs_mark(epochs)) return std::nullopt;
  return epochs;
}

std::optional<Uuid> parse_origin(std::string_view line) {
  std::string_view rest = line;
  if (!take(rest, kOrigin)) return std::nullopt;
  const std::optional<Uuid> origin = Uuid::parse(rest);
  if (!origin || line != origin_mark(*origin)) return std::nullopt;
  return origin;
}

std::optional<std::int64_t> parse_opened(std::string_view line) {
  std::string_view rest = line;
  std::uint64_t ms = 0;
  if (!take(rest, kOpened) || !take_number(rest, ms) || ms >= kMostOpenedMs) return std::nullopt;
  const auto opened_ms = static_cast<std::int64_t>(ms);
  if (line != opened_mark(opened_ms)) return std::nullopt;
  return opened_ms;
}

/// Calls `f` with each line of `text`, without its newline.
template <class F>
void for_each_line(std::string_view text, F&& f) {
  while (true) {
    const std::size_t end = text.find('\n');
    f(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

/// Reads a member that must be an integer of at least 0.
bool read_number(JsonView object, std::string_view name, std::uint64_t& out) {
  std::int64_t value = 0;
  if (!as_integer(object.find(name), value) || value < 0) return false;
  out = static_cast<std::uint64_t>(value);
  return true;
}

}  // namespace

std::partial_ordering Position::operator<=>(const Position& other) const {
  if (height() != other.height()) return height() <=> other.height();
  return digest == other.digest ? std::partial_ordering::equivalent
                                : std::partial_ordering::unordered;
}

std::string Position::to_string() const {
  return fmt::format("{}/{}/{}", number(epoch), index, digest.to_string());
}

void Position::append_json(std::string& out) const {
  out += R"({"digest":")";
  digest.append_to(out);
  out += R"(","epoch":)";
  append_json_integer(out, static_cast<std::int64_t>(epoch));
  out += R"(,"index":)";
  append_json_integer(out, static_cast<std::int64_t>(index));
  out += '}';
}

Result<Position> Position::from_json(JsonView value) {
  if (!value.is_object()) return syntax_error(value, "Parsing position failed: expected an object");
  std::uint64_t epoch = 0;
  std::uint64_t index = 0;
  const JsonView text = value.find("digest");
  const std::optional<Uuid> digest =
      text.is_string() ? Uuid::parse(text.get_string()) : std::nullopt;
  if (!read_number(value, "epoch", epoch) || !read_number(value, "index", index) || !digest)
    return syntax_error(value, "Parsing position failed: needs an epoch, an index and a digest");
  return Position{Epoch{epoch}, index, *digest};
}

Position first_position(std::span<const std::byte, 20> schema_sha1) {
  return Position{Epoch{0}, 0, chain(Uuid{}, schema_sha1)};
}

Position next(const Position& before, std::span<const std::byte, 20> record_sha1) {
  return Position{before.epoch, before.index + 1, chain(before.digest, record_sha1)};
}

Position after_record(const Position& before, std::span<const std::byte, 20> record_sha1,
                      std::string_view comment) {
  const PositionMarks marks = PositionMarks::parse(comment);
  if (marks.snapshot) return *marks.snapshot;
  Position after = next(before, record_sha1);
  if (marks.promotion && *marks.promotion > before.epoch) {
    after.epoch = *marks.promotion;
    if (!is_believable(before, after)) after.epoch = before.epoch;
  }
  return after;
}

bool is_believable(const Position& before, const Position& after) {
  return after.epoch <= kMaxEpoch && after.index <= std::max(kMaxIndex, before.index + kMaxStep) &&
         number(after.epoch) <= number(before.epoch) + kMaxStep;
}

PositionMarks PositionMarks::parse(std::string_view comment) {
  PositionMarks marks;
  if (comment.find(kMark) == std::string_view::npos) return marks;
  int promotions = 0;
  int snapshots = 0;
  int epochs = 0;
  int origins = 0;
  int opened = 0;
  for_each_line(comment, [&](std::string_view line) {
    if (const auto promotion = parse_promotion(line)) {
      marks.promotion = promotion;
      promotions++;
    } else if (const auto snapshot = parse_snapshot(line)) {
      marks.snapshot = snapshot;
      snapshots++;
    } else if (auto starts = parse_epochs(line)) {
      marks.epochs = std::move(*starts);
      epochs++;
    } else if (const auto origin = parse_origin(line)) {
      marks.origin = origin;
      origins++;
    } else if (const auto ms = parse_opened(line)) {
      marks.opened_ms = ms;
      opened++;
    }
  });
  if (promotions > 1) marks.promotion.reset();
  if (snapshots > 1) marks.snapshot.reset();
  if (epochs > 1) marks.epochs.clear();
  if (origins > 1) marks.origin.reset();
  if (opened > 1) marks.opened_ms.reset();
  return marks;
}

std::string promotion_mark(Epoch epoch) {
  return fmt::format("{}epoch={}", kPromotion, number(epoch));
}

std::string snapshot_mark(const Position& position) {
  return fmt::format("{}epoch={} index={} digest={}", kSnapshot, number(position.epoch),
                     position.index, position.digest.to_string());
}

std::string epochs_mark(const std::vector<Position>& epochs) {
  std::string line(kEpochs);
  for (const Position& start : epochs) line += ' ' + start.to_string();
  return line;
}

std::string origin_mark(const Uuid& origin) {
  return fmt::format("{}{}", kOrigin, origin.to_string());
}

std::string opened_mark(std::int64_t wall_ms) { return fmt::format("{}{}", kOpened, wall_ms); }

std::string without_marks(std::string_view comment) {
  std::string result;
  result.reserve(comment.size());
  for_each_line(comment, [&](std::string_view line) {
    if (line.data() != comment.data()) result += '\n';
    if (line.starts_with(kMark)) result += ' ';
    result += line;
  });
  return result;
}

}  // namespace tandem
