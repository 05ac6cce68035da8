#include "server/ctl/commands.h"

#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "protocol/json/fields.h"
#include "protocol/target.h"
#include "server/ctl/client.h"
#include "server/ctl/cluster_nodes.h"
#include "server/ctl/cluster_view.h"
#include "server/ctl/colours.h"
#include "server/ctl/discovery.h"
#include "server/ctl/http_page.h"
#include "server/ctl/stock_server.h"
#include "server/ctl/target.h"

namespace tandem::ctl {

namespace {

/// As ovs-appctl has them.
constexpr int kNotReached = 1;
constexpr int kRefused = 2;

using Directories = std::vector<std::string>;

Error failure(std::string text) { return Error{std::move(text), "", std::nullopt}; }

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string without_end_of_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// --- statuses of servers ---

Result<Json> local_status(const std::string& target, const Directories& directories,
                          std::chrono::milliseconds timeout) {
  const auto socket = find_control_socket(target, directories);
  if (socket.has_error()) return socket.error();
  const auto answer = run_command(*socket, "tandem/status", {"--format", "json"}, timeout);
  if (answer.has_error()) return answer.error();
  if (is_unknown_command(*answer)) return stock_status(*socket, timeout);
  if (answer->is_error) return failure(without_end_of_line(answer->text));
  return read_json(answer->text);
}

Result<Json> remote_status(const HttpAddress& address, std::chrono::milliseconds timeout) {
  const Result<std::string> page = get_page(address, "/status", timeout);
  return page ? read_json(*page) : Result<Json>(page.error());
}

Asked ask_for_copies(const std::string& target, const Directories& directories,
                     std::chrono::milliseconds timeout) {
  const std::optional<HttpAddress> address = parse_http_address(target);
  return {target,
          address ? remote_status(*address, timeout) : local_status(target, directories, timeout)};
}

std::vector<Asked> ask_for_all_copies(const std::vector<std::string>& targets,
                                      const Directories& directories,
                                      std::chrono::milliseconds timeout) {
  std::vector<std::future<Asked>> asking;
  asking.reserve(targets.size());
  for (const std::string& target : targets) {
    asking.push_back(std::async(std::launch::async,
                                [&] { return ask_for_copies(target, directories, timeout); }));
  }
  std::vector<Asked> asked;
  asked.reserve(asking.size());
  for (std::future<Asked>& one : asking) asked.push_back(one.get());
  return asked;
}

// --- one server ---

Result<Answer> ask(const Invocation& invocation, const std::string& socket) {
  return run_command(socket, invocation.command, invocation.server_arguments(), invocation.timeout);
}

Report report_of(const Result<Answer>& answer, const std::string& name, bool colours) {
  if (answer.has_error()) return failed(answer.error(), kNotReached);
  if (answer->is_error) {
    return {"", fmt::format("{}tandem-ctl: {}: server returned an error\n", answer->text, name),
            kRefused};
  }
  return {colours ? painted_status(answer->text) : answer->text, "", 0};
}

/// Asks the server how a change of role has ended for each database: a line
/// "DB: ROLE, STATE, at EPOCH:INDEX". Empty if it does not tell.
std::string outcome_text(const Invocation& invocation, const std::string& socket) {
  const auto answer =
      run_command(socket, "tandem/status", {"--format", "short"}, invocation.timeout);
  if (answer.has_error() || answer->is_error) return "";
  std::string text;
  std::istringstream lines(answer->text);
  std::string name;
  std::string role;
  std::string state;
  std::string epoch;
  std::string index;
  while (lines >> name >> role >> state >> epoch >> index)
    text += fmt::format("{}: {}, {}, at {}:{}\n", name, role, state, epoch, index);
  return text;
}

/// The server does not know Tandem's commands.
Report for_stock(const Invocation& invocation, const FoundServer& server, const Answer& answer) {
  if (invocation.command == "tandem/status") {
    const Result<Json> status = stock_status(server.socket, invocation.timeout);
    if (status.has_error()) return failed(status.error(), kRefused);
    return {invocation.json ? to_text(*status) + "\n" : stock_status_text(*status), "", 0};
  }
  Report report = report_of(answer, server.name, false);
  const std::string other = stock_command_for(invocation.command);
  report.errors += fmt::format("tandem-ctl: {} is no Tandem server{}\n", server.name,
                               other.empty() ? "" : ": use " + other);
  return report;
}

/// Who else writes, now that the server was promoted: the servers of this host are asked, and the
/// host that it would follow, at the ports of its own pages. Empty: nobody who was reached.
std::string rivals_text(const Invocation& invocation, const FoundServer& server,
                        const Directories& directories) {
  const std::chrono::milliseconds timeout =
      std::min(invocation.timeout, std::chrono::milliseconds(1000));
  std::vector<Asked> asked{{server.name, local_status(server.socket, directories, timeout)}};
  if (asked.front().status.has_error()) return "";
  std::vector<std::string> targets;
  for (const FoundServer& other : find_servers(directories, timeout).servers) {
    if (other.socket != server.socket) targets.push_back(other.socket);
  }
  const Json& own = *asked.front().status;
  const auto* const source = find_as<std::string>(own, "active_server");
  const auto target = Target::parse(source != nullptr ? source->substr(0, source->find(',')) : "");
  if (target && !target->host.empty()) {
    for (std::string& page : neighbours({own}, {target->host})) targets.push_back(std::move(page));
  }
  std::vector<Asked> others = ask_for_all_copies(targets, directories, timeout);
  std::move(others.begin(), others.end(), std::back_inserter(asked));
  const std::string text = rivals(gather(asked));
  return text.empty() ? "" : fmt::format("warning: {}: demote all but one\n", text);
}

Report for_one(const Invocation& invocation, const FoundServer& server,
               const Directories& directories, bool colours) {
  const bool is_status = invocation.command == "tandem/status";
  const bool changes_role =
      invocation.command == "tandem/promote" || invocation.command == "tandem/demote";
  const Result<Answer> answer = ask(invocation, server.socket);
  if (answer && is_unknown_command(*answer) && invocation.command.starts_with("tandem/"))
    return for_stock(invocation, server, *answer);
  Report report = report_of(answer, server.name, colours && is_status && !invocation.json);
  if (changes_role && report.exit_status == 0)
    report.output += outcome_text(invocation, server.socket);
  if (invocation.command == "tandem/promote" && report.exit_status == 0)
    report.errors += rivals_text(invocation, server, directories);
  return report;
}

// --- all servers of this host ---

Error none_found(const Discovery& found, const Directories& directories) {
  std::string text =
      fmt::format("no Tandem server found: none has a control socket in {}", joined(directories));
  if (!found.closed.empty())
    text += fmt::format("; this user may not open {}", joined(found.closed));
  if (!found.stock.empty())
    text += fmt::format("; Open vSwitch's own database server is {}", joined(found.stock));
  return failure(text + " (-t TARGET names one)");
}

Error several_found(const Discovery& found, const std::string& command) {
  std::string names;
  for (const FoundServer& server : found.servers)
    names += (names.empty() ? "" : ", ") + server.name;
  return failure(
      fmt::format("\"{}\" is for one server, and several Tandem servers run here: say "
                  "-t with one of {}",
                  command, names));
}

std::vector<Result<Answer>> ask_all(const Invocation& invocation,
                                    const std::vector<FoundServer>& servers) {
  std::vector<std::future<Result<Answer>>> asked;
  asked.reserve(servers.size());
  for (const FoundServer& server : servers)
    asked.push_back(std::async(std::launch::async, [&] { return ask(invocation, server.socket); }));
  std::vector<Result<Answer>> answers;
  answers.reserve(asked.size());
  for (std::future<Result<Answer>>& answer : asked) answers.push_back(answer.get());
  return answers;
}

/// One object; the answers stand in it as the servers gave them.
std::string json_of(const Invocation& invocation, const std::vector<FoundServer>& servers,
                    const std::vector<Result<Answer>>& answers) {
  std::string out = R"({"servers":[)";
  for (std::size_t i = 0; i < servers.size(); ++i) {
    out += i == 0 ? R"({"target":)" : R"(,{"target":)";
    append_json_string(out, servers[i].name);
    out += R"(,"socket":)";
    append_json_string(out, servers[i].socket);
    const bool is_answer = answers[i] && !answers[i]->is_error;
    out += ',';
    append_json_string(out, is_answer ? invocation.name : "error");
    out += ':';
    if (is_answer) {
      out += without_end_of_line(answers[i]->text);
    } else {
      append_json_string(
          out, without_end_of_line(answers[i] ? answers[i]->text : answers[i].error().to_string()));
    }
    out += '}';
  }
  return out + "]}\n";
}

Report for_all(const Invocation& invocation, const std::vector<FoundServer>& servers,
               bool colours) {
  const std::vector<Result<Answer>> answers = ask_all(invocation, servers);
  const bool is_status = invocation.command == "tandem/status";
  // Lines for scripts say themselves which database they are about.
  const std::vector<std::string>& words = invocation.arguments;
  const bool for_scripts = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word == "short" || word == "--format=short";
  });
  Report all;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const Report one = report_of(answers[i], servers[i].name, colours && is_status);
    if (servers.size() > 1 && !for_scripts && !one.output.empty()) {
      all.output += fmt::format("{}== {} ({})\n", all.output.empty() ? "" : "\n", servers[i].name,
                                servers[i].socket);
    }
    all.output += one.output;
    all.errors += one.errors;
    all.exit_status = std::max(all.exit_status, one.exit_status);
  }
  if (invocation.json) all.output = json_of(invocation, servers, answers);
  return all;
}

Report for_this_host(const Invocation& invocation, const Directories& directories, bool colours) {
  const Discovery found = find_servers(directories, invocation.timeout);
  if (found.servers.empty()) return failed(none_found(found, directories), kNotReached);
  if (invocation.everywhere) return for_all(invocation, found.servers, colours);
  if (found.servers.size() > 1) return failed(several_found(found, invocation.name), kNotReached);
  return for_one(invocation, found.servers.front(), directories, colours);
}

// --- all copies, for one verdict ---

/// The servers of the other nodes, if this host is one of a Pacemaker cluster.
std::vector<Asked> ask_neighbours(const std::vector<Asked>& own, const Directories& directories,
                                  std::chrono::milliseconds timeout, std::string& remark) {
  const std::vector<std::string> nodes = cluster_nodes(timeout);
  if (nodes.size() < 2) return {};
  std::vector<Json> statuses;
  for (const Asked& one : own) {
    if (one.status) statuses.push_back(*one.status);
  }
  const std::vector<std::string> targets = neighbours(statuses, nodes);
  if (targets.empty() && !statuses.empty()) {
    remark =
        "tandem-ctl: the other nodes of the cluster are not asked: the servers here have no "
        "status pages (--http; under Pacemaker nb_http and sb_http)\n";
  }
  return ask_for_all_copies(targets, directories, timeout);
}

Report for_cluster(const Invocation& invocation, const Directories& directories, bool colours) {
  std::vector<std::string> targets = invocation.arguments;
  const bool are_named = !targets.empty();
  if (!are_named) {
    const Discovery found = find_servers(directories, invocation.timeout);
    if (found.servers.empty())
      return failed(none_found(found, directories), static_cast<int>(Level::kBad));
    for (const FoundServer& server : found.servers) targets.push_back(server.name);
  }
  std::vector<Asked> asked = ask_for_all_copies(targets, directories, invocation.timeout);
  std::string remark;
  if (!are_named) {
    std::vector<Asked> others = ask_neighbours(asked, directories, invocation.timeout, remark);
    std::move(others.begin(), others.end(), std::back_inserter(asked));
  }
  const Copies all = gather(asked);
  return {invocation.json ? to_text(cluster_json(all)) + "\n" : cluster_text(all, colours), remark,
          static_cast<int>(judge(all).level)};
}

}  // namespace

Report failed(const Error& error, int exit_status) {
  return {"", fmt::format("tandem-ctl: {}\n", error.to_string()), exit_status};
}

Report carry_out(const Invocation& invocation, const Directories& directories, bool colours) {
  if (invocation.cluster) return for_cluster(invocation, directories, colours);
  if (!invocation.target) return for_this_host(invocation, directories, colours);
  const auto socket = find_control_socket(*invocation.target, directories);
  if (socket.has_error()) return failed(socket.error(), kNotReached);
  return for_one(invocation, {*invocation.target, *socket}, directories, colours);
}

}  // namespace tandem::ctl
