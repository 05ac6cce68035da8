#include "server/tool/invocation.h"

#include <getopt.h>

#include <array>
#include <string_view>

namespace tandem::tool {
namespace {

/// Long options without a letter. --cid and --election-timer belong to the clustered commands.
enum : int { kLogFile = 256, kSyslogMethod, kSyslogTarget, kRbacRole, kIgnored };

constexpr std::array kOptions = {
    option{"more", no_argument, nullptr, 'm'},
    option{"rbac-role", required_argument, nullptr, kRbacRole},
    option{"cid", required_argument, nullptr, kIgnored},
    option{"election-timer", required_argument, nullptr, kIgnored},
    option{"verbose", optional_argument, nullptr, 'v'},
    option{"log-file", optional_argument, nullptr, kLogFile},
    option{"syslog-method", required_argument, nullptr, kSyslogMethod},
    option{"syslog-target", required_argument, nullptr, kSyslogTarget},
    option{"help", no_argument, nullptr, 'h'},
    option{"option", no_argument, nullptr, 'o'},
    option{"version", no_argument, nullptr, 'V'},
    option{nullptr, 0, nullptr, 0},
};
constexpr const char* kLetters = "mv::hoV";

std::string without_folders(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

/// Takes in one option. False if there is no such option or its argument is missing.
bool take(Invocation& invocation, int option) {
  const std::string argument = optarg != nullptr ? optarg : "";
  switch (option) {
    case 'm':
      invocation.more++;
      return true;
    case 'v':
      invocation.log_specs.push_back(argument);
      return true;
    case 'h':
      invocation.action = Invocation::Action::kHelp;
      return true;
    case 'o':
      invocation.action = Invocation::Action::kListOptions;
      return true;
    case 'V':
      invocation.action = Invocation::Action::kVersion;
      return true;
    case kLogFile:
      invocation.log_file = argument;
      return true;
    case kSyslogMethod:
      invocation.syslog_method = argument;
      return true;
    case kSyslogTarget:
      invocation.syslog_target = argument;
      return true;
    case kRbacRole:
      invocation.rbac_role = argument;
      return true;
    case kIgnored:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string Invocation::database(std::size_t i) const {
  return i < arguments.size() ? arguments[i] : directories.db + "/conf.db";
}

std::string Invocation::schema(std::size_t i) const {
  return i < arguments.size() ? arguments[i] : directories.package_data + "/vswitch.ovsschema";
}

std::optional<Invocation> parse_invocation(int argc, char** argv, const Directories& directories) {
  Invocation invocation;
  invocation.directories = directories;
  invocation.program = without_folders(argv[0]);

  optind = 0;  // starts glibc's getopt anew
  for (int option = 0;
       (option = getopt_long(argc, argv, kLetters, kOptions.data(), nullptr)) != -1;) {
    if (!take(invocation, option)) return std::nullopt;
    if (invocation.action != Invocation::Action::kCommand) return invocation;
  }
  if (optind < argc) {
    invocation.command = argv[optind];
    invocation.arguments.assign(argv + optind + 1, argv + argc);
  }
  return invocation;
}

std::string list_options() {
  std::string text;
  for (const option& entry : kOptions) {
    if (entry.name == nullptr) break;
    const bool letter = entry.val < kLogFile;
    const std::string name = entry.name;
    switch (entry.has_arg) {
      case no_argument:
        text += "--" + name + "\n";
        break;
      case optional_argument:
        text += "--" + name + "=[ARG]\n";
        break;
      default:
        text += "--" + name + "=ARG\n";
        break;
    }
    if (letter) {
      text += std::string("-") + static_cast<char>(entry.val) +
              (entry.has_arg == optional_argument ? " [ARG]\n" : " \n");
    }
  }
  return text;
}

}  // namespace tandem::tool
