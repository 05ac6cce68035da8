#include "server/relay/relay_source.h"

namespace tandem {

Result<RelaySource> RelaySource::parse(std::string_view remotes) {
  RelaySource source;
  source.text = remotes;
  while (true) {
    const std::size_t comma = remotes.find(',');
    Result<Target> target = Target::parse(remotes.substr(0, comma));
    if (!target) return target.error();
    if (!target->is_passive()) source.targets.push_back(std::move(*target));
    if (comma == std::string_view::npos) return source;
    remotes.remove_prefix(comma + 1);
  }
}

Result<RelayName> RelayName::parse(std::string_view file) {
  const std::string_view rest = file.substr(file.find(':') + 1);
  const std::size_t colon = rest.find(':');
  const auto fault = [file](std::string_view what) {
    return Error{"ovsdb error", std::string(file) + ": " + std::string(what), std::nullopt};
  };
  if (colon == std::string_view::npos) return fault("invalid syntax");
  const std::string_view database = rest.substr(0, colon);
  if (database.starts_with('_'))
    return Error{"ovsdb error", std::string(database) + ": names beginning with \"_\" are reserved",
                 std::nullopt};
  Result<RelaySource> source = RelaySource::parse(rest.substr(colon + 1));
  if (!source) return fault(source.error().to_string());
  return RelayName{std::string(database), std::move(*source)};
}

}  // namespace tandem
