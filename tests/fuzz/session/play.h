#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tests/fuzz/session/client.h"
#include "tests/fuzz/session/script.h"
#include "tests/fuzz/session/stage.h"

namespace tandem::fuzz {

/// One run of a script: clients that come, ask and go, a server whose role, gate, databases and
/// disk change under them. Then all is quiet, and what was promised is checked.
class Play {
 public:
  /// The first command says how the server is configured.
  explicit Play(const Command& setting);
  ~Play();

  void act(const Command& command);
  void end();

 private:
  Client& client(const Command& command);
  std::unique_ptr<Client> connect(std::size_t place, unsigned kind);

  void monitor(Client& client, const Command& command);
  void change_conditions(Client& client, const Command& command);
  void lock(Client& client, const Command& command);
  void follow(Client& client, const Command& command);
  void acknowledge(Client& client, const Command& command);
  void ask_oddly(Client& client, const Command& command);
  void control(const Command& command);
  void change_role(const Command& command);
  void fail_disk(const Command& command);

  Stage stage_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Client>> gone_;  ///< whose connections end
  const bool checks_log_;
  bool disk_failed_ = false;
};

}  // namespace tandem::fuzz
