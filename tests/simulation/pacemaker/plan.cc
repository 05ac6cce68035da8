#include "tests/simulation/pacemaker/plan.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "tests/simulation/pacemaker/information_base.h"

namespace tandem::simulation::pacemaker {
namespace {

/// Adds to each action those before those before it.
void close(std::map<std::string, std::set<std::string>>& before) {
  for (bool grows = true; std::exchange(grows, false);) {
    for (auto& [name, names] : before) {
      const std::size_t size = names.size();
      for (const std::string& other : std::set(names)) {
        const auto found = before.find(other);
        if (found != before.end()) names.insert(found->second.begin(), found->second.end());
      }
      grows = grows || names.size() > size;
    }
  }
}

/// One element's start tag, of XML that Pacemaker wrote.
class Tag {
 public:
  explicit Tag(std::string_view text) : text_(text) {}
  std::string_view name() const { return text_.substr(0, text_.find_first_of(" />")); }
  std::string operator[](std::string_view attribute) const {
    const std::string start = fmt::format(" {}=\"", attribute);
    const std::size_t at = text_.find(start);
    if (at == std::string_view::npos) return "";
    const std::size_t begin = at + start.size();
    return std::string(text_.substr(begin, text_.find('"', begin) - begin));
  }

 private:
  std::string_view text_;
};

/// "ovn:2_start_0" as "ovn_start_0": instances are told apart by their nodes.
std::string without_instance(std::string key) {
  if (const std::size_t colon = key.find(':'); colon != std::string::npos)
    key.erase(colon, key.find('_', colon) - colon);
  return key;
}

constexpr const char* kCrmSimulate = "/usr/sbin/crm_simulate";

constexpr std::array kLists{"active", "promoted", "unpromoted", "start",
                            "stop",   "promote",  "demote"};

/// Reads a transition graph: a synapse is an action with the actions that trigger it.
class GraphReader {
 public:
  Plan read(const std::string& text) {
    for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1))
      take(Tag(std::string_view(text).substr(at + 1, text.find('>', at) - at - 1)));
    close(before_);
    for (const auto& [id, ids] : before_) {
      const auto name = names_.find(id);
      if (name == names_.end()) continue;
      std::set<std::string>& names = plan_.actions[name->second];
      for (const std::string& other : ids) {
        if (const auto found = names_.find(other); found != names_.end())
          names.insert(found->second);
      }
    }
    return std::move(plan_);
  }

 private:
  void take(const Tag& tag) {
    if (tag.name() == "action_set") {
      in_inputs_ = false;
    } else if (tag.name() == "inputs") {
      in_inputs_ = true;
    } else if (tag.name() == "rsc_op" || tag.name() == "pseudo_event" ||
               tag.name() == "crm_event") {
      if (in_inputs_) {
        before_[id_].insert(tag["id"]);
        return;
      }
      id_ = tag["id"];
      before_[id_];
      is_notification_ = tag.name() == "rsc_op" && tag["operation"] == "notify";
      if (tag.name() == "rsc_op")
        names_[id_] = (tag["operation"] == "cancel" ? "cancel " : "") +
                      without_instance(tag["operation_key"]) + '@' + tag["on_node"];
    } else if (tag.name() == "attributes" && is_notification_ && !in_inputs_) {
      for (const std::string_view list : kLists) {
        std::istringstream words(tag[fmt::format("CRM_meta_notify_{}_uname", list)]);
        std::set<std::string>& shown = plan_.shown[std::string(list)];
        for (std::string word; words >> word;) shown.insert(word);
      }
    }
  }

  Plan plan_;
  std::map<std::string, std::set<std::string>> before_;  // by id
  std::map<std::string, std::string> names_;             // of real actions, by id
  std::string id_;
  bool in_inputs_ = false;
  bool is_notification_ = false;
};

}  // namespace

Plan to_plan(const ClusterState& state, const Transition& transition) {
  Plan plan;
  bool notifies = false;
  for (const Action& action : transition.actions) {
    std::set<std::string>& before = plan.actions[action.to_string(state)];
    for (const std::size_t i : action.after) before.insert(transition.actions[i].to_string(state));
    notifies = notifies || action.kind == Action::Kind::kPreNotify ||
               action.kind == Action::Kind::kPostNotify;
  }
  close(plan.actions);
  if (!notifies) return plan;
  const std::array lists{&transition.active, &transition.promoted_now, &transition.unpromoted_now,
                         &transition.start,  &transition.stop,         &transition.promote,
                         &transition.demote};
  for (std::size_t i = 0; i < lists.size(); ++i) {
    std::set<std::string>& shown = plan.shown[kLists[i]];
    for (const std::size_t node : *lists[i]) shown.insert(state.nodes[node].name);
  }
  return plan;
}

Plan simulated_plan(const ClusterState& state, const std::string& scratch) {
  const std::string input = scratch + "/cib.xml";
  const std::string output = scratch + "/graph.xml";
  std::ofstream(input) << to_xml(state);
  std::remove(output.c_str());
  std::array<std::string, 6> words{"crm_simulate", "-Q", "-x", input, "-G", output};
  std::array<char*, 7> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  // It warns that the XML is not validated, which takes longer than the plan.
  posix_spawn_file_actions_t streams;
  posix_spawn_file_actions_init(&streams);
  posix_spawn_file_actions_addopen(&streams, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = posix_spawn(&child, kCrmSimulate, &streams, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&streams);
  if (error != 0) throw std::runtime_error("crm_simulate cannot be started");
  int status = 0;
  waitpid(child, &status, 0);
  std::ostringstream graph;
  graph << std::ifstream(output).rdbuf();
  if (status != 0 || graph.str().empty())
    throw std::runtime_error(fmt::format("crm_simulate failed: {}", status));
  return GraphReader().read(graph.str());
}

void leave_out_ends_of_failed_monitors(Plan& plan, const ClusterState& state) {
  const auto is_one = [&](const std::string& action) {
    return action.starts_with("cancel ") &&
           std::any_of(state.nodes.begin(), state.nodes.end(), [&](const NodeState& node) {
             const bool databases = action.starts_with("cancel ovn");
             return action.ends_with('@' + node.name) &&
                    (databases ? node.databases : node.address).failure.has_value();
           });
  };
  std::erase_if(plan.actions, [&](const auto& entry) { return is_one(entry.first); });
  for (auto& [action, before] : plan.actions) std::erase_if(before, is_one);
}

std::string difference(const Plan& ours, const Plan& theirs) {
  std::string result;
  const auto compare = [&](const std::string& what, const auto& one, const auto& other) {
    for (const auto& [name, names] : one) {
      const auto found = other.find(name);
      if (found == other.end()) {
        result += fmt::format("{}: {}\n", what, name);
        continue;
      }
      for (const std::string& word : names) {
        if (!found->second.contains(word))
          result += fmt::format("{}: {} {} {}\n", what, name,
                                one == ours.shown || one == theirs.shown ? "shows" : "after", word);
      }
    }
  };
  compare("ours alone", ours.actions, theirs.actions);
  compare("theirs alone", theirs.actions, ours.actions);
  compare("ours alone", ours.shown, theirs.shown);
  compare("theirs alone", theirs.shown, ours.shown);
  return result;
}

}  // namespace tandem::simulation::pacemaker
