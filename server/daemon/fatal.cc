#include "server/daemon/fatal.h"

#include <cstdio>
#include <cstdlib>

namespace tandem {

int report_fatal(const Error& error) {
  const std::string text = "ovsdb-server: " + error.to_string() + "\n";
  std::fputs(text.c_str(), stderr);
  return EXIT_FAILURE;
}

}  // namespace tandem
