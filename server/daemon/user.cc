#include "server/daemon/user.h"

#include <fmt/core.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "server/daemon/fatal.h"
#include "server/logging/vlog.h"

namespace tandem {

namespace {

struct Identity {
  std::string user;
  uid_t uid = ::getuid();
  gid_t gid = ::getgid();
};

bool is_member(const ::group& group, const std::string& user) {
  for (char** member = group.gr_mem; *member != nullptr; ++member) {
    if (user == *member) return true;
  }
  return false;
}

Result<Identity> look_up(const std::string& spec) {
  Identity identity;
  const std::size_t colon = spec.find(':');
  const std::string user = spec.substr(0, colon);
  if (!user.empty()) {
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr) return fatal_error(fmt::format("user {} not found, aborting.", user));
    identity = {user, entry->pw_uid, entry->pw_gid};
  } else if (const passwd* own = ::getpwuid(identity.uid); own != nullptr) {
    identity.user = own->pw_name;
  }
  if (colon != std::string::npos && colon + 1 < spec.size()) {
    const std::string name = spec.substr(colon + 1);
    const ::group* entry = ::getgrnam(name.c_str());
    if (entry == nullptr) return fatal_error(fmt::format("group {} not found, aborting.", name));
    if (entry->gr_gid != identity.gid && !is_member(*entry, identity.user)) {
      return fatal_error(
          fmt::format("Invalid --user option {} (user {} is not in group {}), aborting.", spec,
                      identity.user, name));
    }
    identity.gid = entry->gr_gid;
  }
  return identity;
}

bool keep_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  data[0].effective = data[0].permitted = data[0].inheritable =
      (1U << CAP_IPC_LOCK) | (1U << CAP_NET_BIND_SERVICE);
  return ::syscall(SYS_capset, &header, data.data()) == 0;
}

}  // namespace

Result<void> become_user(const std::string& spec) {
  const auto identity = look_up(spec);
  if (identity.has_error()) return identity.error();
  if (::geteuid() != 0) return fatal_error("only root can use --user option");
  log::give_file_to(identity->uid, identity->gid);
  const bool changed = ::prctl(PR_SET_KEEPCAPS, 1) == 0 &&
                       ::setresgid(identity->gid, identity->gid, identity->gid) == 0 &&
                       ::initgroups(identity->user.c_str(), identity->gid) == 0 &&
                       ::setresuid(identity->uid, identity->uid, identity->uid) == 0 &&
                       keep_capabilities();
  if (!changed)
    return fatal_error(fmt::format("failed to switch to user {}: {}", spec, std::strerror(errno)));
  return {};
}

}  // namespace tandem
