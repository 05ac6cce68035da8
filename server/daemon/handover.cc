#include "server/daemon/handover.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include "protocol/json.h"

namespace tandem {

namespace {

constexpr off_t kMaxBytes = 1 << 20;

std::optional<HandoverState> from_text(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  const auto strings = [&](const char* name) {
    return json::value_to<std::vector<std::string>>(object.at(name));
  };
  const auto string = [&](const char* name) {
    return json::value_to<std::string>(object.at(name));
  };
  return HandoverState{strings("databases"), strings("remotes"), string("active_server"),
                       object.at("backup").as_bool(), string("exclude_tables")};
}

}  // namespace

HandoverFile::HandoverFile() : fd_(::memfd_create("tandem-handover", MFD_CLOEXEC)) {}

void HandoverFile::save(const HandoverState& state) {
  const json::value value = {{"databases", json::value_from(state.databases)},
                             {"remotes", json::value_from(state.remotes)},
                             {"active_server", state.active_server},
                             {"backup", state.backup},
                             {"exclude_tables", state.exclude_tables}};
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
