#include "server/daemon/fatal.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "server/logging/vlog.h"
#include "server/posix/prompt_write.h"

namespace tandem {

int report_fatal(const Error& error) {
  std::string text;
  for (const std::string& warning : log::take_kept_warnings())
    text += "ovsdb-server: " + warning + "\n";
  text += "ovsdb-server: " + error.to_string() + "\n";
  (void)write_at_once(STDERR_FILENO, text);
  return EXIT_FAILURE;
}

}  // namespace tandem
