#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tandem {

/// What ps(1) shows of this process: the memory of argv, and the thread's name in /proc/PID/comm.
/// One per process, made before any thread; forked processes go on with their copy.
class ProcessTitle {
 public:
  /// Takes over the memory of argv and of the environment behind it; the environment moves
  /// elsewhere.
  ProcessTitle(int argc, char** argv);

  /// Shows `title` in place of the command line.
  void set(std::string_view title);
  /// Shows the command line again.
  void restore();
  /// /proc/PID/comm, up to 15 characters.
  static void set_comm(const char* name);

 private:
  std::span<char> memory_;
  std::string original_;
};

}  // namespace tandem
