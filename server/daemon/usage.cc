#include <fmt/core.h>

#include <array>

#include "server/daemon/option_table.h"

namespace tandem {
namespace {

constexpr std::size_t kColumn = 26;  ///< where descriptions begin
constexpr std::size_t kWidth = 80;

struct Section {
  OptionGroup group;
  std::string_view title;
  std::string_view more;  ///< below its options
};

constexpr std::array kSections{
    Section{OptionGroup::kRemotes, "Remotes (may be given any number of times)",
            R"(Active connection methods:
  tcp:HOST:PORT           PORT at remote HOST
  ssl:HOST:PORT           TLS PORT at remote HOST
  unix:FILE               Unix domain socket FILE
Passive connection methods:
  ptcp:PORT[:IP]          listen to TCP PORT on IP
  pssl:PORT[:IP]          listen to TLS PORT on IP
  punix:FILE              listen on Unix domain socket FILE
  db:DB,TABLE,COLUMN      those that COLUMN of TABLE in DB holds
)"},
    Section{OptionGroup::kConnections, "Connections over TCP and TLS", ""},
    Section{OptionGroup::kTls, "TLS (each may be db:DB,TABLE,COLUMN)", ""},
    Section{OptionGroup::kDaemon, "Daemon", ""},
    Section{OptionGroup::kLogging, "Logging", ""},
    Section{OptionGroup::kReplication, "Replication", ""},
    Section{OptionGroup::kCompaction, "Compaction (see docs/operating.md)", ""},
    Section{OptionGroup::kLimits, "Limits of one client (see docs/operating.md)", ""},
    Section{OptionGroup::kOther, "Other", ""},
};

/// Appends words from the present column on, in lines of at most kWidth.
void append_wrapped(std::string& out, std::size_t column, std::string_view words) {
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(word.size() + 1, words.size()));
    if (column > kColumn && column + 1 + word.size() > kWidth) {
      out += '\n' + std::string(kColumn, ' ');
      column = kColumn;
    } else if (column > kColumn) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  out += '\n';
}

void append_option(std::string& out, const OptionEntry& entry, const Directories& directories) {
  std::string text = "  ";
  if (entry.letter != 0) text += fmt::format("-{}, ", entry.letter);
  text += fmt::format("--{}{}", entry.name, entry.argument);
  if (text.size() + 2 <=
      kColumn) {  // two spaces say where a description begins, to help2man(1), too
    text.resize(kColumn, ' ');
  } else {
    text += '\n' + std::string(kColumn, ' ');
  }
  out += text;
  std::string help(entry.help);
  Options plain;
  if (entry.shown_default != nullptr)
    help += fmt::format(" (default: {})", entry.shown_default(plain, directories));
  append_wrapped(out, kColumn, help);
}

}  // namespace

std::string usage(const Directories& directories) {
  std::string text = fmt::format(
      "ovsdb-server: Tandem, an Open vSwitch database server\n"
      "usage: ovsdb-server [OPTIONS] [DATABASE...]\n"
      "where each DATABASE is a database file in ovsdb format, or\n"
      "relay:NAME:REMOTE[,REMOTE]..., a copy of what another server has.\n"
      "The default DATABASE, if none is given, is\n{}/conf.db.\n",
      directories.db);
  for (const Section& section : kSections) {
    text += fmt::format("\n{}:\n", section.title);
    for (const OptionEntry& entry : option_table()) {
      if (entry.group == section.group) append_option(text, entry, directories);
    }
    text += section.more;
  }
  return text;
}

}  // namespace tandem
