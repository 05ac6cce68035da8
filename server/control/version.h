#pragma once

#include <string_view>

namespace tandem::control {

/// What scripts look for: the program and release of Open vSwitch whose behaviour this server has.
inline constexpr std::string_view kCompatibleVersion = "ovsdb-server (Open vSwitch) 3.1.0";

/// The answer of --version and of the "version" command.
inline constexpr std::string_view kVersionText =
    "ovsdb-server (Open vSwitch) 3.1.0\nTandem " TANDEM_VERSION "\n";

}  // namespace tandem::control
