// Pacemaker's and corosync's tools, as steps of Ports.

#include <fmt/core.h>

#include "ocf/agent/decision/boolean.h"
#include "ocf/agent/ports/ports.h"

namespace tandem::agent {

namespace {

/// With these attrd_updater would tell only of the node of the action, whatever it is asked.
const std::vector<std::string> kMisleading = {"OCF_RESKEY_CRM_meta_on_node",
                                              "OCF_RESKEY_CRM_meta_physical_host",
                                              "OCF_RESKEY_CRM_meta_container_attribute_target"};

constexpr int kNoSuch = 105;          // CRM_EX_NOSUCH
constexpr int kNoSuchOld = 6;         // the same, of some commands and versions
constexpr int kNoSuchAttribute = 78;  // the same, of attrd_updater 2.1.5
constexpr int kInquorate = 2;         // of corosync-quorumtool

Answer done_or_refused(const ToolEnd& end) {
  return {end.status == 0 ? Answer::Outcome::kDone : Answer::Outcome::kRefused, end.output, {}};
}

/// The value of NAME="VALUE" in a line.
std::string value_in(std::string_view line, std::string_view name) {
  const std::string start = fmt::format("{}=\"", name);
  const std::size_t begin = line.find(start);
  if (begin == std::string_view::npos) return "";
  line.remove_prefix(begin + start.size());
  return std::string(line.substr(0, line.find('"')));
}

/// Of lines name="N" host="H" value="V".
Answer read_attributes(const ToolEnd& end) {
  Answer answer = done_or_refused(end);
  // There is no such attribute: nobody has published.
  if (end.status == kNoSuch || end.status == kNoSuchOld || end.status == kNoSuchAttribute)
    answer.outcome = Answer::Outcome::kDone;
  std::string_view text = end.output;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string host = value_in(line, "host");
    const std::string value = value_in(line, "value");
    if (!host.empty() && !value.empty()) answer.values.emplace_back(host, value);
  }
  return answer;
}

Answer read_property(const ToolEnd& end) {
  Answer answer = done_or_refused(end);
  if (end.status == kNoSuch || end.status == kNoSuchOld)
    answer.outcome = Answer::Outcome::kNotThere;
  return answer;
}

std::vector<std::string> property_words(const std::string& set, const std::string& name) {
  std::vector<std::string> words = {"crm_attribute", "--type", "crm_config"};
  if (!set.empty()) words.insert(words.end(), {"--set-name", set});
  words.insert(words.end(), {"--name", name});
  return words;
}

/// Whether the resource is managed here, by three questions: its is-managed, its maintenance, and
/// the node's.
class ManagedQuestion : public Operation {
 public:
  explicit ManagedQuestion(std::vector<std::unique_ptr<Operation>> questions)
      : questions_(std::move(questions)), answers_(questions_.size()) {}

  void add_to(std::vector<pollfd>& polled) const override {
    for (std::size_t i = 0; i < questions_.size(); ++i) {
      if (!answers_[i]) questions_[i]->add_to(polled);
    }
  }

  std::optional<Answer> go_on() override {
    bool open = false;
    for (std::size_t i = 0; i < questions_.size(); ++i) {
      if (!answers_[i]) answers_[i] = questions_[i]->go_on();
      if (!answers_[i]) {
        open = true;
        continue;
      }
      const bool unmanaged = i != 0;
      if (answers_[i]->done() && parse_boolean(answers_[i]->text) == unmanaged)
        return Answer{Answer::Outcome::kDone, "false", {}};
    }
    if (open) return std::nullopt;
    return answers_[0];
  }

 private:
  std::vector<std::unique_ptr<Operation>> questions_;
  std::vector<std::optional<Answer>> answers_;
};

}  // namespace

Ports::Begun Ports::run(std::vector<std::string> words, ToolRun::Read read) {
  return std::make_unique<ToolRun>(ToolRun::Command{std::move(words), {}, kMisleading, false},
                                   std::move(read));
}

Ports::Begun Ports::take(const ReadAttribute& step) {
  return run({"attrd_updater", "-n", step.name, "--query", "--all"}, read_attributes);
}

Ports::Begun Ports::take(const WriteAttribute& step) {
  std::vector<std::string> words = {"attrd_updater"};
  if (step.is_private) words.emplace_back("--private");
  words.insert(words.end(), {"-n", step.name, "-N", step.host, "-U", step.value});
  return run(std::move(words), done_or_refused);
}

Ports::Begun Ports::take(const ReadProperty& step) {
  std::vector<std::string> words = property_words(step.set, step.name);
  words.insert(words.end(), {"--query", "--quiet"});
  ToolRun::Command command{std::move(words), {}, kMisleading, false};
  if (step.saved) command.set.emplace_back("CIB_file=/var/lib/pacemaker/cib/cib.xml");
  return std::make_unique<ToolRun>(command, read_property);
}

Ports::Begun Ports::take(const WriteProperty& step) {
  std::vector<std::string> words = property_words(step.set, step.name);
  words.insert(words.end(), {"--update", step.value});
  return run(std::move(words), done_or_refused);
}

Ports::Begun Ports::take(const AskManaged&) {
  const std::string& instance = environment_.order.settings.instance;
  const auto meta = [&](const char* name) {
    return run({"crm_resource", "--resource", instance, "--meta", "--get-parameter", name},
               done_or_refused);
  };
  std::vector<Begun> questions;
  questions.push_back(meta("is-managed"));
  questions.push_back(meta("maintenance"));
  questions.push_back(run({"crm_attribute", "--type", "nodes", "--node", environment_.order.node,
                           "--name", "maintenance", "--query", "--quiet"},
                          done_or_refused));
  return std::make_unique<ManagedQuestion>(std::move(questions));
}

Ports::Begun Ports::take(const AskCorosync&) {
  return run({"corosync-quorumtool", "-s"}, [](const ToolEnd& end) {
    const Answer::Outcome outcome = end.status == 0            ? Answer::Outcome::kDone
                                    : end.status == kInquorate ? Answer::Outcome::kRefused
                                                               : Answer::Outcome::kNotThere;
    return Answer{outcome, "", {}};
  });
}

Ports::Begun Ports::take(const AskController&) { return run({"crm_node", "-q"}, done_or_refused); }

Ports::Begun Ports::take(const ReportFailure&) {
  return run({"crm_resource", "--fail", "--resource", environment_.order.settings.instance,
              "--node", environment_.order.node},
             done_or_refused);
}

}  // namespace tandem::agent
