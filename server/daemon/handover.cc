#include "server/daemon/handover.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/json/fields.h"

namespace tandem {

namespace {

constexpr off_t kMaxBytes = 1 << 20;

/// Calls `field` with the name and the place of each value, so that writing and reading agree.
template <class State, class Field>
void each_field(State& state, Field field) {
  field("databases", state.databases);
  field("remotes", state.remotes);
  field("active_remotes", state.active_remotes);
  field("active_server", state.active_server);
  field("backup", state.backup);
  field("least_epoch", state.least_epoch);
  field("exclude_tables", state.exclude_tables);
  field("lease_length_ms", state.lease_length_ms);
  field("lease_deadline_ms", state.lease_deadline_ms);
  field("deposed_epoch", state.deposed_epoch);
  field("sync_replicas", state.sync_replicas);
  field("sync_timeout_ms", state.sync_timeout_ms);
  field("sync_block", state.sync_block);
  field("sync_peers", state.sync_peers);
  field("node_name", state.node_name);
  field("advertised_role", state.advertised_role);
  field("role_changes", state.role_changes);
}

std::optional<HandoverState> from_text(std::string_view text) {
  const Result<Json> value = read_json(text);
  if (!value || !value->is_object()) return std::nullopt;
  HandoverState state;
  each_field(state, FieldReader{*value});
  return state;
}

}  // namespace

HandoverFile::HandoverFile() : fd_(::memfd_create("tandem-handover", MFD_CLOEXEC)) {}

void HandoverFile::save(const HandoverState& state) {
  Json value = Json::object();
  each_field(state, FieldWriter{value});
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
