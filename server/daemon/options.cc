#include "server/daemon/options.h"

#include "server/daemon/option_table.h"

namespace tandem {

namespace {

Error usage_error(std::string text) { return Error{std::move(text), "", std::nullopt}; }

/// Walks over the arguments once and fills in the options.
class Parser {
 public:
  Parser(const std::vector<std::string>& arguments, const Directories& directories)
      : arguments_(arguments), directories_(directories) {}

  Result<Options> run() {
    bool only_files = false;
    while (next_ < arguments_.size()) {
      const std::string_view argument = arguments_[next_++];
      std::optional<Error> error;
      if (only_files || argument.size() < 2 || argument[0] != '-') {
        options_.databases.emplace_back(argument);
      } else if (argument == "--") {
        only_files = true;
      } else if (argument[1] == '-') {
        error = long_option(argument.substr(2));
      } else {
        error = short_options(argument.substr(1));
      }
      if (error) return *error;
      if (options_.action != Options::Action::kServe) return std::move(options_);
    }
    if (auto error = check()) return *error;
    return std::move(options_);
  }

 private:
  std::optional<Error> long_option(std::string_view text) {
    const std::string_view name = text.substr(0, text.find('='));
    std::optional<std::string> argument;
    if (name.size() < text.size()) argument = std::string(text.substr(name.size() + 1));

    const auto found = find_long(name);
    if (found.has_error()) return found.error();
    const OptionEntry& entry = **found;
    const std::string shown = "option '--" + std::string(entry.name) + "'";
    if (argument && entry.takes() == OptionEntry::Argument::kNone) {
      return usage_error(shown + " doesn't allow an argument");
    }
    if (!argument && entry.takes() == OptionEntry::Argument::kRequired) {
      if (next_ == arguments_.size()) return usage_error(shown + " requires an argument");
      argument = arguments_[next_++];
    }
    return set(entry, argument);
  }

  /// The option of that name, or the only one that begins so. Tandem's own are looked at only if
  /// ovsdb-server has none.
  static Result<const OptionEntry*> find_long(std::string_view name) {
    for (const bool own : {false, true}) {
      std::vector<const OptionEntry*> matches;
      for (const OptionEntry& entry : option_table()) {
        if (entry.name == name) return &entry;
        if (entry.own == own && entry.name.starts_with(name)) matches.push_back(&entry);
      }
      if (matches.size() == 1) return matches.front();
      if (matches.size() > 1) {
        std::string text = "option '--" + std::string(name) + "' is ambiguous; possibilities:";
        for (const OptionEntry* entry : matches) text += " '--" + std::string(entry->name) + "'";
        return usage_error(std::move(text));
      }
    }
    return usage_error("unrecognized option '--" + std::string(name) + "'");
  }

  /// A cluster of letters: "-hV", "-vSPEC", "-p FILE".
  std::optional<Error> short_options(std::string_view cluster) {
    while (!cluster.empty() && options_.action == Options::Action::kServe) {
      const char letter = cluster.front();
      cluster.remove_prefix(1);
      const OptionEntry* entry = find_short(letter);
      if (entry == nullptr) return usage_error(std::string("invalid option -- '") + letter + "'");
      std::optional<std::string> argument;
      if (entry->takes() != OptionEntry::Argument::kNone) {
        if (!cluster.empty()) {
          argument = std::string(cluster);
        } else if (entry->takes() == OptionEntry::Argument::kRequired) {
          if (next_ == arguments_.size()) {
            return usage_error(std::string("option requires an argument -- '") + letter + "'");
          }
          argument = arguments_[next_++];
        }
        cluster = {};
      }
      if (auto error = set(*entry, argument)) return error;
    }
    return std::nullopt;
  }

  static const OptionEntry* find_short(char letter) {
    for (const OptionEntry& entry : option_table()) {
      if (entry.letter == letter) return &entry;
    }
    return nullptr;
  }

  std::optional<Error> set(const OptionEntry& entry, const std::optional<std::string>& argument) {
    if (entry.name == "no-dbs") no_dbs_ = true;
    if (auto failure = entry.set(options_, argument, directories_)) {
      return usage_error("--" + std::string(entry.name) + ": " + *failure);
    }
    return std::nullopt;
  }

  /// What options say together.
  std::optional<Error> check() {
    if (options_.config_file) {
      if (!options_.databases.empty())
        return usage_error("Databases should be specified in a config file");
      if (!options_.remotes.empty())
        return usage_error("Remotes should be specified in a config file");
      if (options_.sync.from || !options_.sync.exclude_tables.empty() || options_.sync.active) {
        return usage_error(
            "--config-file is mutually exclusive with --sync-from, --sync-exclude and --active");
      }
    } else if (options_.databases.empty() && !no_dbs_) {
      options_.databases.push_back(directories_.db + "/conf.db");
    }
    return std::nullopt;
  }

  const std::vector<std::string>& arguments_;
  const Directories& directories_;
  std::size_t next_ = 0;
  bool no_dbs_ = false;
  Options options_;
};

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const Directories& directories) {
  return Parser(arguments, directories).run();
}

}  // namespace tandem
