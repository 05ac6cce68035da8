#include "server/daemon/process_title.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace tandem {

ProcessTitle::ProcessTitle(int argc, char** argv) {
  // The kernel lays arguments and environment out one after the other; titles may use all of it.
  char* end = argv[0];
  const auto extend = [&](char* text) {
    if (text == end) end = text + std::strlen(text) + 1;
  };
  for (int i = 0; i < argc; ++i) extend(argv[i]);
  const auto arguments_size = static_cast<std::size_t>(end - argv[0]);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    extend(*variable);
    *variable = ::strdup(*variable);  // lives as long as the process
  }
  memory_ = {argv[0], static_cast<std::size_t>(end - argv[0])};
  original_.assign(argv[0], arguments_size);
}

void ProcessTitle::set(std::string_view title) {
  if (memory_.empty()) return;
  std::fill(memory_.begin(), memory_.end(), '\0');
  std::copy_n(title.data(), std::min(title.size(), memory_.size() - 1), memory_.data());
}

void ProcessTitle::restore() {
  std::fill(memory_.begin(), memory_.end(), '\0');
  std::copy(original_.begin(), original_.end(), memory_.begin());
}

void ProcessTitle::set_comm(const char* name) { ::prctl(PR_SET_NAME, name); }

}  // namespace tandem
