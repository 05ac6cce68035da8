#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ocf/agent/decision/settings.h"

namespace tandem::agent {

// These have constructors, since GCC 12 destroys aggregates that are made within a co_await
// expression twice.

// --- the servers of this node ---

/// Sends a command to a server's control socket. kDone or kRefused with its words; kNotThere:
/// nobody listens.
struct AskServer {
  AskServer(Which which, std::string command, std::vector<std::string> arguments = {})
      : which(which), command(std::move(command)), arguments(std::move(arguments)) {}
  Which which;
  std::string command;
  std::vector<std::string> arguments;
};
/// A command and its arguments.
template <class... Arguments>
AskServer command(Which which, std::string name, Arguments&&... arguments) {
  AskServer ask(which, std::move(name));
  (ask.arguments.emplace_back(std::forward<Arguments>(arguments)), ...);
  return ask;
}
/// Looks at the process. kDone: "running", "stopped" (SIGSTOP) or "restarting" (it has died, and
/// its monitor process waits to start it again), then "tandem" or "stock", then "listens" if its
/// control socket is there; kNotThere: there is none, and "ended" if it has removed its pidfile: it
/// did not die.
struct LookAtServer {
  Which which;
};
/// Starts a server by ovn-ctl with these words. kRefused with what it said.
struct StartServer {
  StartServer(Which which, std::vector<std::string> arguments)
      : which(which), arguments(std::move(arguments)) {}
  Which which;
  std::vector<std::string> arguments;
};
/// Would a server that does not listen for clients now be able to, as the active? kRefused with why
/// not: something else has its port.
struct ProbePort {
  Which which;
};
/// Waits until the process has ended.
struct AwaitServerEnd {
  Which which;
};
/// Kills a server, with its monitor process, which would start it again. kDone: neither is there.
struct KillServer {
  Which which;
};
/// Runs ovn-nbctl or ovn-sbctl on the server's own socket.
struct RunCtl {
  RunCtl(Which which, std::vector<std::string> arguments)
      : which(which), arguments(std::move(arguments)) {}
  Which which;
  std::vector<std::string> arguments;
};
struct StartNorthd {};
struct StopNorthd {};

// --- the cluster ---

/// A transient attribute of all nodes: `values` of the answer.
struct ReadAttribute {
  explicit ReadAttribute(std::string name) : name(std::move(name)) {}
  std::string name;
};
struct WriteAttribute {
  WriteAttribute(std::string name, std::string host, std::string value, bool is_private)
      : name(std::move(name)),
        host(std::move(host)),
        value(std::move(value)),
        is_private(is_private) {}
  std::string name;
  std::string host;
  std::string value;
  bool is_private;
};
/// A property of the cluster; kNotThere if it has none of that name. `saved`: as it was when
/// Pacemaker last wrote its configuration here.
struct ReadProperty {
  ReadProperty(std::string name, std::string set, bool saved)
      : name(std::move(name)), set(std::move(set)), saved(saved) {}
  std::string name;
  std::string set;
  bool saved;
};
struct WriteProperty {
  WriteProperty(std::string name, std::string set, std::string value)
      : name(std::move(name)), set(std::move(set)), value(std::move(value)) {}
  std::string name;
  std::string set;
  std::string value;
};
/// Whether the administrator lets Pacemaker manage the resource, on this node: "true", "false", or
/// nothing.
struct AskManaged {};
/// A round trip to corosync: kDone: quorate; kRefused: not; kNotThere: there is no corosync here.
struct AskCorosync {};
/// Asks for the quorum that Pacemaker remembers: kDone with "1" or "0".
struct AskController {};
/// Tells Pacemaker that the resource has failed here.
struct ReportFailure {};

// --- this process ---

/// Waits for the length of the limit.
struct Pause {};
/// Starts the keeper, if none runs.
struct StartKeeper {};
/// Ends it: the role has ended, or it works with parameters that are no longer so.
struct EndKeeper {};
/// The keeper: kDone if a server's connection was lost, "monitored" if its monitor process lives
/// and starts it again; kSilent at the limit.
struct Watch {};
/// The keeper, and what an action has left to be done: takes the lock that actions hold (kRefused:
/// one does), and gives it back, with the memory as it then is. Without it no memory is kept.
struct TakeLock {};
struct ReleaseLock {};
/// For the same: the memory as actions have left it.
struct ReadMemory {};

/// Something to be done for a decision, by the ports or by a simulation. Each step is answered
/// once; those that are given out together are done at the same time.
struct Step {
  using What =
      std::variant<AskServer, LookAtServer, StartServer, ProbePort, AwaitServerEnd, KillServer,
                   RunCtl, StartNorthd, StopNorthd, ReadAttribute, WriteAttribute, ReadProperty,
                   WriteProperty, AskManaged, AskCorosync, AskController, ReportFailure, Pause,
                   StartKeeper, EndKeeper, Watch, TakeLock, ReleaseLock, ReadMemory>;
  std::uint64_t id = 0;
  What what;
  std::int64_t limit_ms = 0;  ///< then the answer is kSilent
};

/// The answer to a step.
struct Answer {
  enum class Outcome : std::uint8_t {
    kDone,
    kRefused,   ///< it was understood, and is not done
    kNotThere,  ///< nobody is there to be asked, or nothing of that name
    kSilent,    ///< no answer within the limit
  };
  Outcome outcome = Outcome::kSilent;
  std::string text{};
  std::vector<std::pair<std::string, std::string>> values{};  ///< host and value

  bool done() const { return outcome == Outcome::kDone; }
};

/// For the log, or (kReason) for the operator as the reason of a failure.
struct Note {
  enum class Level : std::uint8_t { kInfo, kWarning, kReason };
  Level level = Level::kInfo;
  std::string text;
};

}  // namespace tandem::agent
