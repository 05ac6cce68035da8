#include "ocf/agent/ports/former_agent.h"

#include <fmt/core.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tandem::agent {

namespace {

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

/// Its keeper is believed by its words, "… keep-role": the pid may be another process's by now.
bool take_over_former_agent(const std::string& state) {
  std::error_code problem;
  const std::string started = state + ".started";
  if (!std::filesystem::exists(started, problem)) return false;
  const int keeper = std::atoi(read_file(state + ".keeper").c_str());
  if (keeper > 1) {
    const std::string words = read_file(fmt::format("/proc/{}/cmdline", keeper));
    if (words.ends_with(std::string("\0keep-role\0", 11))) ::kill(keeper, SIGKILL);
  }
  for (const std::string& path : {state + ".granted", started})
    std::filesystem::remove(path, problem);
  return true;
}

}  // namespace tandem::agent
