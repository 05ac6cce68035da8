#include "ocf/agent/decision/bulletin.h"

#include <fmt/core.h>

#include <array>

#include "replication/height.h"

namespace tandem::agent {

namespace {

constexpr std::array<std::pair<Notice::Word, std::string_view>, 6> kWords = {{
    {Notice::Word::kActive, "active"},
    {Notice::Word::kLive, "live"},
    {Notice::Word::kCut, "cut"},
    {Notice::Word::kFinal, "final"},
    {Notice::Word::kSilent, "silent"},
    {Notice::Word::kStopped, "stopped"},
}};

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t comma = text.find(',');
    fields.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    text.remove_prefix(comma + 1);
  }
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  if (!take_number(text, value) || !text.empty()) return std::nullopt;
  return value;
}

std::string position_text(const std::optional<Copy::Database>& database) {
  if (!database) return "-,-";
  return fmt::format("{},{}", static_cast<std::uint64_t>(database->height.epoch),
                     database->height.index);
}

std::string digest_text(const std::optional<Copy::Database>& database) {
  return database && database->digest ? database->digest->to_string() : "-";
}

}  // namespace

std::string to_string(Notice::Word word) {
  for (const auto& [value, name] : kWords) {
    if (value == word) return std::string(name);
  }
  return "";
}

std::string Notice::to_text() const {
  const auto& nb = copy.databases[Which::kNb];
  const auto& sb = copy.databases[Which::kSb];
  return fmt::format("{},{},{},{},{},{},{}{},{},{},{},{}", agent::to_string(word),
                     position_text(nb), position_text(sb), node, kFormat, round,
                     nb && nb->in_sync ? 1 : 0, sb && sb->in_sync ? 1 : 0, digest_text(nb),
                     digest_text(sb), static_cast<std::uint64_t>(taken[Which::kNb]),
                     static_cast<std::uint64_t>(taken[Which::kSb]));
}

std::optional<Notice> Notice::parse(std::string_view text, const std::string& host) {
  const std::vector<std::string_view> fields = split(text);
  if (fields.size() < 5) return std::nullopt;
  Notice notice;
  bool known = false;
  for (const auto& [value, name] : kWords) {
    if (name != fields[0]) continue;
    notice.word = value;
    known = true;
  }
  if (!known) return std::nullopt;
  notice.host = host;
  notice.node = fields.size() > 5 && !fields[5].empty() ? std::string(fields[5]) : host;
  notice.format = fields.size() > 6 ? static_cast<int>(number(fields[6]).value_or(1)) : 1;
  // Later formats add fields behind these.
  const bool ours = notice.format >= kFormat && fields.size() >= 11;
  if (ours) notice.round = std::string(fields[7]);
  for (const Which which : kBoth) {
    const std::size_t i = static_cast<std::size_t>(which);
    const auto taken = ours && fields.size() > 11 + i ? number(fields[11 + i]) : std::nullopt;
    if (taken && Epoch{*taken} <= kMaxEpoch) notice.taken[which] = Epoch{*taken};
    const auto epoch = number(fields[1 + 2 * i]);
    const auto index = number(fields[2 + 2 * i]);
    if (!epoch || !index || Epoch{*epoch} > kMaxEpoch || *index > kMaxIndex) continue;
    Copy::Database database{Height{Epoch{*epoch}, *index}, std::nullopt, false};
    if (ours) {
      database.in_sync = fields[8].size() > i && fields[8][i] == '1';
      database.digest = Uuid::parse(fields[9 + i]);
    }
    notice.copy.databases[which] = database;
  }
  return notice;
}

const Notice* Bulletin::of(const std::string& node) const {
  // An instance of a bundle that has moved leaves a notice behind.
  const Notice* found = nullptr;
  for (const Notice& notice : notices) {
    if (notice.node != node) continue;
    if (found == nullptr || found->word == Notice::Word::kStopped) found = &notice;
  }
  return found;
}

}  // namespace tandem::agent
