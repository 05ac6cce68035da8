#pragma once

#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error.h"

namespace tandem::control {

/// Arguments of a command, without its name.
using Arguments = std::vector<std::string>;
/// An error whose whole text is `text`.
Error command_error(std::string text);

/// Takes the answer of a command, once, now or later. From which thread is up to who made it: the
/// control server's own may be used from any.
class Reply {
 public:
  using Take = std::function<void(Result<std::string>)>;
  using SetJson = std::function<void(bool)>;
  explicit Reply(Take take, SetJson set_json = {})
      : take_(std::move(take)), set_json_(std::move(set_json)) {}

  void text(std::string text) const {
    take_(Result<std::string>(boost::system::in_place_value, std::move(text)));
  }
  /// Success, with nothing to say.
  void done() const { text({}); }
  void error(Error error) const { take_(std::move(error)); }
  void error(std::string text) const { take_(command_error(std::move(text))); }
  /// From now on this client wants its answers as JSON, or as plain text.
  void set_json(bool json) const {
    if (set_json_) set_json_(json);
  }

 private:
  Take take_;
  SetJson set_json_;
};

using Handler = std::function<void(const Arguments& arguments, const Reply& reply)>;

/// The commands that a server understands (ovs-appctl(8)), by name. Filled at start; sans-IO. Used
/// from one thread.
class CommandRegistry {
 public:
  static constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

  /// Has "list-commands" from the start.
  CommandRegistry();

  /// Adds a command, or replaces one of that name. `usage` is what list-commands shows behind the
  /// name.
  void add(std::string name, std::string usage, std::size_t min_arguments,
           std::size_t max_arguments, Handler handler);

  /// Runs a command. Unknown names and wrong numbers of arguments are answered with ovsdb-server's
  /// texts.
  void run(const std::string& name, const Arguments& arguments, const Reply& reply) const;

  /// The answer of "list-commands".
  std::string list() const;

 private:
  struct Command {
    std::string usage;
    std::size_t min_arguments;
    std::size_t max_arguments;
    Handler handler;
  };
  std::map<std::string, Command> commands_;
};

}  // namespace tandem::control
