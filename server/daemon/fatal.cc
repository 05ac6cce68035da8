#include "server/daemon/fatal.h"

#include <cstdio>
#include <cstdlib>

#include "server/logging/vlog.h"

namespace tandem {

int report_fatal(const Error& error) {
  std::string text;
  for (const std::string& warning : log::take_kept_warnings())
    text += "ovsdb-server: " + warning + "\n";
  text += "ovsdb-server: " + error.to_string() + "\n";
  std::fputs(text.c_str(), stderr);
  return EXIT_FAILURE;
}

}  // namespace tandem
