#pragma once

#include <optional>
#include <string>

#include "protocol/error.h"
#include "server/posix/unique_fd.h"

namespace tandem {

/// A file that holds the id of the serving process, and a lock on it while that process lives:
/// ovsdb-server(1),
/// --pidfile. Held by the serving process from start to end; destroying it removes the file. A
/// process forked off it must leave by _exit() or exec.
class Pidfile {
 public:
  /// Writes the file of this process. Fails with ovsdb-server's text if another process holds it,
  /// unless `overwrite`.
  static Result<Pidfile> create(const std::string& path, bool overwrite);
  Pidfile(Pidfile&& other) noexcept = default;
  Pidfile& operator=(Pidfile&&) = delete;
  ~Pidfile();

  /// The process that holds the file locked now, if any.
  static std::optional<int> holder(const std::string& path);

 private:
  Pidfile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  UniqueFd fd_;
};

}  // namespace tandem
