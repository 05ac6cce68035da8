#pragma once

#include <string>

namespace tandem {

/// How a process ended, from wait(2)'s status: "exit status 1", "killed (Segmentation fault), core
/// dumped".
std::string describe_status(int status);

/// Ends this process as one that died of `signal`, without cleaning up.
[[noreturn]] void die_of(int signal);

/// Does this process ignore the signal?
bool is_ignored(int signal);

}  // namespace tandem
