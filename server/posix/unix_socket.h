#pragma once

#include <sys/socket.h>

#include <string>

#include "server/posix/unique_fd.h"

namespace tandem {

/// A non-blocking, close-on-exec stream socket; errno on failure.
UniqueFd make_socket(int family);

/// bind() and connect() to a unix socket's file, whose path may be longer than sockaddr_un holds:
/// the folder is then reached through /proc/self/fd. Return 0 or an errno.
int bind_unix(int fd, const std::string& path);
int connect_unix(int fd, const std::string& path);

}  // namespace tandem
