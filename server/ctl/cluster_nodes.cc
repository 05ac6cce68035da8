#include "server/ctl/cluster_nodes.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "protocol/json/fields.h"
#include "server/posix/unique_fd.h"

namespace tandem::ctl {

namespace {

constexpr std::size_t kMostOutput = 1 << 20;

/// Reads until the end, or nothing more comes in time.
std::string read_until(int fd, std::chrono::steady_clock::time_point deadline) {
  std::string output;
  while (output.size() < kMostOutput) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd entry{fd, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&entry, 1, static_cast<int>(left.count())) <= 0) return "";
    std::array<char, 4096> buffer{};
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size <= 0) return output;
    output.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return "";
}

}  // namespace

std::vector<std::string> read_node_list(std::string_view output) {
  std::vector<std::string> names;
  std::istringstream lines{std::string(output)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id;
    std::string name;
    if (words >> id >> name && name != "(null)") names.push_back(name);
  }
  return names;
}

std::vector<std::string> cluster_nodes(std::chrono::milliseconds timeout) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&files, writer.get(), 1);
  posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_RDWR, 0);
  std::string program = "crm_node";
  std::string option = "-l";
  const std::array<char*, 3> words{program.data(), option.data(), nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, program.c_str(), &files, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  writer = {};
  if (error != 0) return {};
  const std::string output = read_until(reader.get(), std::chrono::steady_clock::now() + timeout);
  ::kill(pid, SIGKILL);  // it has said all, or hangs
  ::waitpid(pid, nullptr, 0);
  return read_node_list(output);
}

std::vector<std::string> neighbours(const std::vector<Json>& statuses,
                                    const std::vector<std::string>& nodes) {
  std::set<std::string> own;
  std::set<std::string> ports;
  for (const Json& status : statuses) {
    for (const char* member : {"node_name", "host"}) {
      if (const auto* const name = find_as<std::string>(status, member)) own.insert(*name);
    }
    const auto* const pages = find_as<Json::array_t>(status, "http");
    if (pages == nullptr) continue;
    for (const Json& page : *pages) {
      const auto* const address = page.get_ptr<const std::string*>();
      if (address != nullptr && address->starts_with("http://"))
        ports.insert(address->substr(address->rfind(':') + 1));
    }
  }
  std::vector<std::string> others;
  for (const std::string& node : nodes) {
    if (own.contains(node)) continue;
    for (const std::string& port : ports) others.push_back(fmt::format("{}:{}", node, port));
  }
  return others;
}

}  // namespace tandem::ctl
