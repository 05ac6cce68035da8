#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

namespace tandem {

/// Where Open vSwitch programs keep things: the packaged defaults, or what the environment says
/// (ovs-ctl(8)). Only this and no library, so that every program can use it.
struct Directories {
  std::string run = "/var/run/openvswitch";  ///< OVS_RUNDIR: sockets, pidfiles
  std::string log = "/var/log/openvswitch";  ///< OVS_LOGDIR
  std::string sysconf = "/etc";              ///< OVS_SYSCONFDIR: configuration files
  std::string db = "/etc/openvswitch";  ///< OVS_DBDIR, otherwise "openvswitch" in OVS_SYSCONFDIR
  std::string package_data = "/usr/share/openvswitch";  ///< OVS_PKGDATADIR: schemas

  static Directories from_environment() {
    const auto get = [](const char* name, const std::string& fallback) {
      const char* value = std::getenv(name);
      return value != nullptr && *value != '\0' ? std::string(value) : fallback;
    };
    Directories result;
    result.run = get("OVS_RUNDIR", result.run);
    result.log = get("OVS_LOGDIR", result.log);
    result.sysconf = get("OVS_SYSCONFDIR", result.sysconf);
    result.db = get("OVS_DBDIR", result.sysconf + "/openvswitch");
    result.package_data = get("OVS_PKGDATADIR", result.package_data);
    return result;
  }

  /// `file` as it is if it is absolute, otherwise within `directory`.
  static std::string resolve(const std::string& directory, std::string_view file) {
    return file.starts_with('/') ? std::string(file) : directory + "/" + std::string(file);
  }
};

}  // namespace tandem
