#include "server/posix/unix_socket.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace tandem {

namespace {

/// Calls `use` (bind or connect) with an address for `path`.
template <class Use>
int with_unix_address(const std::string& path, Use use) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string text = path;
  UniqueFd folder;
  if (text.size() >= sizeof address.sun_path) {
    const auto slash = text.rfind('/');
    const std::string folder_path = slash == std::string::npos ? "." : text.substr(0, slash + 1);
    folder = UniqueFd(open(folder_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return errno;
    text = fmt::format("/proc/self/fd/{}/{}", folder.get(), text.substr(slash + 1));
    if (text.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  }
  std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
  return use(reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

}  // namespace

UniqueFd make_socket(int family) {
  return UniqueFd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int bind_unix(int fd, const std::string& path) {
  return with_unix_address(
      path, [fd](const sockaddr* address, socklen_t size) { return bind(fd, address, size); });
}

int connect_unix(int fd, const std::string& path) {
  return with_unix_address(
      path, [fd](const sockaddr* address, socklen_t size) { return connect(fd, address, size); });
}

}  // namespace tandem
