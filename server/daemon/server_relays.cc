// Relays: databases that copy those of other servers.

#include "server/control/command_registry.h"
#include "server/daemon/server.h"

namespace tandem {

RelaySource Server::with_settings(RelaySource source) const {
  source.probe_ms = relay_probe_ms_;
  for (Target& target : source.targets) target = upstreams_.in_run_folder(std::move(target));
  return source;
}

/// On the writer.
Result<void> Server::serve_relay(const std::string& name, const RelaySource& source) {
  if (name.starts_with('_'))
    return Error{"ovsdb error", name + ": names beginning with \"_\" are reserved", std::nullopt};
  Result<void> added = relays_.add(name, source);
  databases_.flush();  // home knows of it before it goes on
  return added;
}

/// At the start.
Result<void> Server::open_relay(const std::string& file) {
  const Result<RelayName> relay = RelayName::parse(file);
  if (!relay) return relay.error();
  const Result<void> added =
      at_start([&] { return serve_relay(relay->database, with_settings(relay->source)); });
  if (added) files_of_[relay->database] = file;
  return added;
}

void Server::add_relay(const std::string& file, const control::Done& done) {
  const Result<RelayName> relay = RelayName::parse(file);
  if (!relay) return done(relay.error());
  const std::string& name = relay->database;
  errands_.run(
      to_writer_,
      [this, name, source = with_settings(relay->source)] { return serve_relay(name, source); },
      [this, name, file, done](const Result<void>& added) {
        if (added) {
          files_of_[name] = file;
          save_state();
        }
        done(added);
      });
}

/// The source that the configuration gives a relay.
Result<RelaySource> Server::configured_source(const ConfigFile::Database& database) const {
  Result<RelaySource> source = RelaySource::parse(database.source);
  if (!source) return source;
  RelaySource with = with_settings(std::move(*source));
  const net::RemoteOptions& options = database.source_options;
  with.dscp = options.dscp;
  with.probe_ms = options.inactivity_probe_ms.value_or(with.probe_ms);
  if (options.max_backoff_ms > 0)
    with.max_backoff_ms = std::min(with.max_backoff_ms, options.max_backoff_ms);
  return with;
}

/// Is the database served as the configuration wants it: as a relay of that source, or not as one?
bool Server::is_as_configured(const std::string& name, const ConfigFile::Database& wanted) const {
  const auto entries = board_.entries();
  const auto entry = entries.find(name);
  const bool is_relay = entry != entries.end() && entry->second.info->relay;
  const auto before = relay_settings_.find(name);
  return is_relay ? before != relay_settings_.end() && before->second == wanted
                  : wanted.model != ConfigFile::Model::kRelay;
}

void Server::set_relay_probe_interval(std::int64_t milliseconds) {
  relay_probe_ms_ = milliseconds;
  relays_.set_probe_ms(milliseconds);
}

}  // namespace tandem
