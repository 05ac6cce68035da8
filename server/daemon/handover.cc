#include "server/daemon/handover.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <type_traits>

#include "protocol/json.h"

namespace tandem {

namespace {

constexpr off_t kMaxBytes = 1 << 20;

std::optional<HandoverState> from_text(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  HandoverState state;
  const auto read = [&](const char* name, auto& member) {
    member = json::value_to<std::decay_t<decltype(member)>>(object.at(name));
  };
  read("databases", state.databases);
  read("remotes", state.remotes);
  read("active_remotes", state.active_remotes);
  read("active_server", state.active_server);
  read("backup", state.backup);
  read("least_epoch", state.least_epoch);
  read("exclude_tables", state.exclude_tables);
  read("lease_length_ms", state.lease_length_ms);
  read("lease_deadline_ms", state.lease_deadline_ms);
  if (const json::value& deposed = object.at("deposed_epoch"); !deposed.is_null())
    state.deposed_epoch = json::value_to<std::uint64_t>(deposed);
  read("sync_replicas", state.sync_replicas);
  read("sync_timeout_ms", state.sync_timeout_ms);
  read("sync_block", state.sync_block);
  read("sync_peers", state.sync_peers);
  read("node_name", state.node_name);
  return state;
}

}  // namespace

HandoverFile::HandoverFile() : fd_(::memfd_create("tandem-handover", MFD_CLOEXEC)) {}

void HandoverFile::save(const HandoverState& state) {
  const json::value value = {
      {"databases", json::value_from(state.databases)},
      {"remotes", json::value_from(state.remotes)},
      {"active_remotes", json::value_from(state.active_remotes)},
      {"active_server", state.active_server},
      {"backup", state.backup},
      {"least_epoch", state.least_epoch},
      {"exclude_tables", state.exclude_tables},
      {"lease_length_ms", state.lease_length_ms},
      {"lease_deadline_ms", state.lease_deadline_ms},
      {"deposed_epoch",
       state.deposed_epoch ? json::value(*state.deposed_epoch) : json::value(nullptr)},
      {"sync_replicas", state.sync_replicas},
      {"sync_timeout_ms", state.sync_timeout_ms},
      {"sync_block", state.sync_block},
      {"sync_peers", state.sync_peers},
      {"node_name", state.node_name}};
  const std::string line = to_text(value) + "\n";
  struct stat file {};
  if (::fstat(fd_.get(), &file) != 0) return;
  off_t at = file.st_size;
  if (at > kMaxBytes && ::ftruncate(fd_.get(), 0) == 0) at = 0;
  // A failure leaves the state before, which is the best there is then.
  const ssize_t written = ::pwrite(fd_.get(), line.data(), line.size(), at);
  static_cast<void>(written);
}

std::optional<HandoverState> HandoverFile::load() const {
  struct stat file {};
  if (::fstat(fd_.get(), &file) != 0 || file.st_size == 0) return std::nullopt;
  std::string text(static_cast<std::size_t>(file.st_size), '\0');
  const ssize_t size = ::pread(fd_.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t end = text.rfind('\n');
  if (end == std::string::npos) return std::nullopt;
  const std::size_t before = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return from_text(std::string_view(text).substr(begin, end - begin));
}

}  // namespace tandem
