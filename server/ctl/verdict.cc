#include "server/ctl/verdict.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace tandem::ctl {

namespace {

using Group = std::vector<const Copy*>;

template <class Wanted>
Group those(const Group& group, Wanted wanted) {
  Group found;
  std::copy_if(group.begin(), group.end(), std::back_inserter(found),
               [&](const Copy* copy) { return wanted(*copy); });
  return found;
}

std::map<std::string, Group> by_database(const Copies& all) {
  std::map<std::string, Group> groups;
  for (const Copy& copy : all.copies) groups[copy.database].push_back(&copy);
  return groups;
}

Group writers_of(const Group& copies) {
  return those(copies, [](const Copy& copy) { return copy.writable; });
}

std::string names_of(const Group& group) {
  std::string names;
  for (const Copy* copy : group) {
    if (!names.empty()) names += copy == group.back() ? " and " : ", ";
    names += copy->target;
  }
  return names;
}

/// Why nobody takes writes, as far as that can be seen.
Verdict no_writer(const Group& copies) {
  std::string reasons;
  for (const Copy* copy : copies) {
    std::string reason;
    if (copy->relay) continue;
    if (copy->active) {
      reason = fmt::format("{} is active, but {}", copy->target,
                           copy->state == "expired" ? "its lease has run out" : copy->state);
    } else if (!copy->source.empty()) {
      reason = fmt::format("{} follows {}", copy->target, copy->source);
    }
    if (!reason.empty()) reasons += (reasons.empty() ? "" : "; ") + reason;
  }
  return {Level::kBad, reasons.empty() ? "no writer" : fmt::format("no writer ({})", reasons)};
}

Verdict several_writers(const Group& writers) {
  const std::string count = writers.size() == 2 ? "TWO" : std::to_string(writers.size());
  return {Level::kBad, fmt::format("{} writers: {}", count, names_of(writers))};
}

/// The first one of the copies, and how many there are beside it.
std::string troubles_text(const Group& copies) {
  std::string text;
  std::size_t more = 0;
  for (const Copy* copy : copies) {
    for (const std::string& trouble : copy->troubles) {
      if (!text.empty()) {
        ++more;
        continue;
      }
      text = fmt::format("; {}: {}", copy->target, trouble);
    }
  }
  return more == 0 ? text : fmt::format("{} (and {} more)", text, more);
}

Group late_ones(const Group& copies) {
  return those(copies, [](const Copy& copy) { return !copy.in_sync; });
}

/// "2 backups in sync", or "1 of 2 backups in sync (b is stale)".
std::string count_text(const Group& copies, std::string_view kind, std::string_view well) {
  const Group late = late_ones(copies);
  const std::string all =
      fmt::format("{} {}{}", copies.size(), kind, copies.size() == 1 ? "" : "s");
  if (late.empty()) return fmt::format("{} {}", all, well);
  std::string states;
  for (const Copy* copy : late)
    states += fmt::format("{}{} is {}", states.empty() ? "" : ", ", copy->target, copy->state);
  return fmt::format("{} of {} {} ({})", copies.size() - late.size(), all, well, states);
}

Verdict one_writer(const Group& copies) {
  const Group backups = those(copies, [](const Copy& c) { return !c.writable && !c.relay; });
  const Group relays = those(copies, [](const Copy& c) { return c.relay; });
  const std::string troubles = troubles_text(copies);
  Verdict verdict;
  if (backups.empty() || !late_ones(backups).empty() || !late_ones(relays).empty() ||
      !troubles.empty())
    verdict.level = Level::kDegraded;
  verdict.sentence =
      "one active, " + (backups.empty() ? "no backup" : count_text(backups, "backup", "in sync"));
  if (!relays.empty()) verdict.sentence += ", " + count_text(relays, "relay", "current");
  verdict.sentence += troubles;
  return verdict;
}

/// Databases of the same verdict together; without names if it is that of all.
Verdict summarize(const std::map<std::string, Verdict>& databases) {
  std::vector<std::pair<std::string, std::string>> names_by_sentence;
  Verdict summary;
  for (const auto& [name, verdict] : databases) {
    summary.level = std::max(summary.level, verdict.level);
    const auto same = std::find_if(
        names_by_sentence.begin(), names_by_sentence.end(),
        [&sentence = verdict.sentence](const auto& entry) { return entry.first == sentence; });
    if (same == names_by_sentence.end()) {
      names_by_sentence.emplace_back(verdict.sentence, name);
    } else {
      same->second += ", " + name;
    }
  }
  for (const auto& [sentence, names] : names_by_sentence) {
    if (!summary.sentence.empty()) summary.sentence += "; ";
    if (names_by_sentence.size() > 1) summary.sentence += names + ": ";
    summary.sentence += sentence;
  }
  return summary;
}

}  // namespace

std::map<std::string, Verdict> judge_databases(const Copies& all) {
  std::map<std::string, Verdict> verdicts;
  for (const auto& [name, copies] : by_database(all)) {
    const Group writers = writers_of(copies);
    verdicts[name] = writers.empty()       ? no_writer(copies)
                     : writers.size() == 1 ? one_writer(copies)
                                           : several_writers(writers);
  }
  return verdicts;
}

std::string rivals(const Copies& all) {
  std::map<std::string, Verdict> verdicts;
  for (const auto& [name, copies] : by_database(all)) {
    if (const Group writers = writers_of(copies); writers.size() > 1)
      verdicts[name] = several_writers(writers);
  }
  return summarize(verdicts).sentence;
}

Verdict judge(const Copies& all) {
  Verdict verdict = summarize(judge_databases(all));
  if (all.copies.empty()) verdict = {Level::kBad, all.silent.empty() ? "no database" : ""};
  if (all.silent.empty()) return verdict;
  // Whoever is silent may be anything, another writer too.
  verdict.level = std::max(verdict.level, Level::kDegraded);
  std::string names;
  for (const Copies::Silent& silent : all.silent)
    names += (names.empty() ? "" : ", ") + silent.target;
  verdict.sentence +=
      fmt::format("{}no answer from {}", verdict.sentence.empty() ? "" : "; ", names);
  return verdict;
}

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kGood:
      return "good";
    case Level::kDegraded:
      return "degraded";
    case Level::kBad:
      return "bad";
  }
  return "";
}

}  // namespace tandem::ctl
