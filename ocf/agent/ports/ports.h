#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ocf/agent/decision/step.h"
#include "ocf/agent/ports/environment.h"
#include "ocf/agent/ports/operation.h"
#include "ocf/agent/ports/server_process.h"
#include "ocf/agent/ports/state_file.h"
#include "ocf/agent/ports/tool_run.h"
#include "ocf/agent/ports/watched_servers.h"

namespace tandem::agent {

/// Takes the steps of a Machine on a real node: asks servers, runs Pacemaker's tools and ovn-ctl,
/// reads and writes files. All steps run at the same time in one poll loop. One thread.
class Ports {
 public:
  Ports(const Environment& environment, StateFile& state, ProcessLock& lock);

  struct Finished {
    std::uint64_t id;
    Answer answer;
  };

  void begin(Step step);
  /// Waits until a step has ended, and returns all that have.
  std::vector<Finished> wait();
  bool idle() const { return running_.empty(); }

 private:
  using Begun = std::unique_ptr<Operation>;

  // One for each kind of step.
  Begun take(const AskServer& step);
  Begun take(const LookAtServer& step);
  Begun take(const StartServer& step);
  Begun take(const ProbePort& step);
  Begun take(const AwaitServerEnd& step);
  Begun take(const KillServer& step);
  Begun take(const RunCtl& step);
  Begun take(const StartNorthd& step);
  Begun take(const StopNorthd& step);
  Begun take(const ReadAttribute& step);
  Begun take(const WriteAttribute& step);
  Begun take(const ReadProperty& step);
  Begun take(const WriteProperty& step);
  Begun take(const AskManaged& step);
  Begun take(const AskCorosync& step);
  Begun take(const AskController& step);
  Begun take(const ReportFailure& step);
  Begun take(const Pause& step);
  Begun take(const StartKeeper& step);
  Begun take(const EndKeeper& step);
  Begun take(const Watch& step);
  Begun take(const TakeLock& step);
  Begun take(const ReleaseLock& step);
  Begun take(const ReadMemory& step);

  std::string path_of(Which which, const char* ending) const;
  std::optional<ProcessInfo> server(Which which) const;
  ToolRun::Command ovn_ctl(std::vector<std::string> words) const;
  static Begun run(std::vector<std::string> words, ToolRun::Read read);

  struct Running {
    Begun operation;
    std::int64_t end_ms;
  };

  Environment environment_;
  StateFile& state_;
  ProcessLock& lock_;
  WatchedServers watched_;
  std::map<std::uint64_t, Running> running_;
};

}  // namespace tandem::agent
