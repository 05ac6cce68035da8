#include "ocf/agent/decision/cluster.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

namespace tandem::agent {

namespace {

/// The limit of one tool of Pacemaker's. It gets a third of what is left of the action's time at
/// most.
constexpr std::int64_t kToolMs = 5'000;

constexpr std::int64_t kRoundTripMs = 2'000;

std::int64_t tool_ms(const Desk& desk) {
  return std::min(kToolMs, std::max<std::int64_t>(desk.left_ms() / 3, 1));
}

/// Of the stock agent.
constexpr const char* kStockActiveScore = "10";
constexpr const char* kStockBackupScore = "5";
constexpr const char* kStockProperty = "OVN_REPL_INFO";
constexpr const char* kStockSet = "ovn_ovsdb_master_server";

bool is_stock_score(const std::string& score) {
  return score == kStockActiveScore || score == kStockBackupScore;
}

}  // namespace

int score::points(const std::string& score) {
  if (score == kBan) return -1'000'000;
  if (score == "INFINITY") return 1'000'000;
  int value = -1;
  std::from_chars(score.data(), score.data() + score.size(), value);
  return value;
}

Names difference(const Names& names, const Names& without) {
  Names rest;
  for (const std::string& name : names) {
    if (!contains(without, name)) rest.push_back(name);
  }
  return rest;
}

std::string joined(const Names& names, const std::string& between) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : between) + name;
  return text;
}

// --- notices ---

Task<> Cluster::publish(Notice::Word word, Copy copy) {
  if (desk_.order.node.empty()) co_return;
  Notice notice;
  notice.word = word;
  notice.copy = copy;
  notice.node = desk_.order.node;
  if (!desk_.memory.round.empty()) notice.round = desk_.memory.round;
  notice.taken = desk_.memory.taken_epoch;
  co_await write({position_attribute(), desk_.order.attributes_host, notice.to_text(), true});
}

Task<> Cluster::write(WriteAttribute attribute) {
  const std::string name = attribute.name;
  const Answer answer = co_await desk_.ask(std::move(attribute), tool_ms(desk_));
  if (!answer.done())
    desk_.warn(fmt::format("attrd_updater could not set {}: the cluster does not know it", name));
}

Task<> Cluster::look_around() {
  const Answer answer = co_await desk_.ask(ReadAttribute{position_attribute()}, tool_ms(desk_));
  Bulletin bulletin;
  bulletin.readable = answer.done();
  for (const auto& [host, value] : answer.values) {
    if (auto notice = Notice::parse(value, host)) bulletin.notices.push_back(std::move(*notice));
  }
  bulletin_ = std::move(bulletin);
}

Task<bool> Cluster::is_heard(Notice::Word word, Copy copy) {
  const std::string number = fmt::format("{:x}", desk_.now_ms());
  const std::int64_t end = desk_.now_ms() + kRoundTripMs;
  desk_.memory.round = number;
  co_await publish(word, copy);
  for (;;) {
    co_await look_around();
    const Notice* own = bulletin_.of(desk_.order.node);
    if (own != nullptr && own->round == number) co_return true;
    if (desk_.now_ms() >= end) co_return false;
    (void)co_await desk_.ask(Pause{}, kRoundTripMs / 10);
  }
}

Names Cluster::nodes_that_said(Notice::Word word) const {
  Names names;
  for (const Notice& notice : bulletin_.notices) {
    if (notice.word == word) names.push_back(notice.node);
  }
  return names;
}

const Notice* Cluster::other_active() const {
  const Notice* greatest = nullptr;
  for (const Notice& notice : bulletin_.notices) {
    if (notice.word != Notice::Word::kActive || notice.node == desk_.order.node) continue;
    if (greatest == nullptr || is_better(notice.copy, greatest->copy)) greatest = &notice;
  }
  return greatest;
}

const Notice* Cluster::promoted_since(const Copy& copy) const {
  for (const Notice& notice : bulletin_.notices) {
    // In the epoch of a promotion that has failed by half nobody wrote.
    if (notice.node == desk_.order.node || notice.word == Notice::Word::kSilent) continue;
    for (const Which which : kBoth) {
      const auto& theirs = notice.copy.databases[which];
      const auto& ours = copy.databases[which];
      if (theirs && ours && theirs->height.epoch > ours->height.epoch) return &notice;
    }
  }
  return nullptr;
}

// --- scores ---

Task<> Cluster::look_at_scores() {
  const Answer answer = co_await desk_.ask(ReadAttribute{score_attribute()}, tool_ms(desk_));
  scores_.clear();
  for (const auto& [host, value] : answer.values) scores_[host] = value;
}

std::string Cluster::score_of(const std::string& node) const {
  const Notice* notice = bulletin_.of(node);
  std::string host = notice != nullptr ? notice->host : node;
  if (node == desk_.order.node) host = desk_.order.attributes_host;
  const auto found = scores_.find(host);
  return found == scores_.end() ? "" : found->second;
}

Task<> Cluster::set_score(std::string value, std::string why) {
  if (desk_.memory.score != value) {
    desk_.info(fmt::format("promotion score of {} is now {}: {}", desk_.order.node, value, why));
    desk_.memory.score = value;
  }
  if (desk_.order.node.empty()) co_return;
  co_await write({score_attribute(), desk_.order.attributes_host, value, false});
}

Task<> Cluster::sweep_scores() {
  for (const Notice& notice : bulletin_.notices) {
    const auto found = scores_.find(notice.host);
    if (notice.word != Notice::Word::kStopped || found == scores_.end() ||
        found->second == score::kBan || is_stock_score(found->second))
      continue;
    (void)co_await desk_.ask(WriteAttribute{score_attribute(), notice.host, score::kBan, false},
                             tool_ms(desk_));
  }
}

Names Cluster::stock_nodes(const Names& among) const {
  Names stock;
  for (const std::string& node : among) {
    const auto found = scores_.find(node);
    const Notice* notice = bulletin_.of(node);
    const bool is_silent = notice == nullptr || notice->word == Notice::Word::kStopped;
    if (is_silent && found != scores_.end() && is_stock_score(found->second)) stock.push_back(node);
  }
  return stock;
}

// --- properties ---

Task<std::optional<Names>> Cluster::look_at_copies() {
  const std::string& instance = desk_.settings().instance;
  const Answer answer = co_await desk_.ask(
      ReadProperty{"copies-" + instance, instance + "-copies", false}, tool_ms(desk_));
  if (answer.outcome == Answer::Outcome::kNotThere) co_return Names{};
  if (!answer.done()) co_return std::nullopt;
  std::istringstream words(answer.text);
  Names names;
  for (std::string name; words >> name;) names.push_back(name);
  co_return names;
}

/// Just after a promotion the backups may not have found this active yet: those of the list that
/// were there then count until the first look is over. It is read each time: others may have lost
/// it.
Task<> Cluster::remember_copies() {
  if (!bulletin_.readable || desk_.order.node.empty()) co_return;
  std::set<std::string> copies = {desk_.order.node};
  for (const std::string& node : nodes_that_said(Notice::Word::kLive)) copies.insert(node);
  const std::optional<Names> old = co_await look_at_copies();
  if (!old) co_return;
  desk_.memory.copies = joined(*old);
  for (const Notice& notice : bulletin_.notices) {
    const bool answers = notice.word == Notice::Word::kFinal || notice.word == Notice::Word::kCut;
    if (answers && contains(desk_.memory.undecided, notice.node) && contains(*old, notice.node))
      copies.insert(notice.node);
  }
  desk_.memory.undecided.clear();
  const std::string text = joined(Names(copies.begin(), copies.end()));
  if (text == desk_.memory.copies) co_return;
  desk_.info(fmt::format("full copies are on: {} (before: {})", text,
                         desk_.memory.copies.empty() ? "none" : desk_.memory.copies));
  const std::string& instance = desk_.settings().instance;
  const Answer written = co_await desk_.ask(
      WriteProperty{"copies-" + instance, instance + "-copies", text}, tool_ms(desk_));
  if (written.done()) desk_.memory.copies = text;
}

Task<> Cluster::name_active() {
  if (desk_.memory.named || desk_.order.node.empty()) co_return;
  const Answer written = co_await desk_.ask(
      WriteProperty{kStockProperty, kStockSet, desk_.order.node}, tool_ms(desk_));
  desk_.memory.named = written.done();
}

}  // namespace tandem::agent
