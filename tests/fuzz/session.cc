// What clients, backups and whoever controls the server do to sessions: several on two I/O threads,
// on one server, in one process on fakes. The input is a script (tests/fuzz/session/script.h).

#include <algorithm>
#include <cstring>
#include <random>

#include "server/logging/vlog.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/session/play.h"

namespace {

constexpr std::size_t kCommand = tandem::fuzz::Command::kBytes;
constexpr std::size_t kMostCommands = 96;

std::uint64_t entropy = 0;

std::uint64_t next_random() {
  entropy = entropy * 6364136223846793005ULL + 1442695040888963407ULL;
  return entropy ^ entropy >> 29U;
}

void play(const std::uint8_t* data, std::size_t commands) {
  using namespace tandem::fuzz;
  entropy = 1;
  const auto command = [data](std::size_t i) {
    return Command(std::span<const std::uint8_t, kCommand>(data + i * kCommand, kCommand));
  };
  Play play(command(0));
  for (std::size_t i = 1; i < commands; ++i) play.act(command(i));
  play.end();
}

}  // namespace

// The names are the linker's and the sanitizer's.
#pragma clang diagnostic ignored "-Wreserved-identifier"

namespace tandem::fuzz {

/// Stands for Uuid::random() (linked with --wrap): the same input is the same run.
Uuid seeded_uuid() __asm__("__wrap__ZN6tandem4Uuid6randomEv");
Uuid seeded_uuid() { return {next_random(), next_random()}; }

}  // namespace tandem::fuzz

/// Many small runs: short call stacks of allocations, and a small store of what was freed, are
/// quicker.
extern "C" const char* __asan_default_options() {
  return "malloc_context_size=8:quarantine_size_mb=16:detect_stack_use_after_return=0";
}

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

/// Half of the time libFuzzer's own mutations; otherwise whole commands are moved, doubled and
/// dropped, or some are drawn anew, mostly for a client that does something already.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  most = std::min(most, kMostCommands * kCommand);
  size = std::min(size, most);
  std::minstd_rand random(seed);
  const std::size_t commands = size / kCommand;
  if (random() % 2 == 0 || commands < 2) return LLVMFuzzerMutate(data, size, most);
  const std::size_t from = random() % commands, to = random() % commands;
  std::uint8_t command[kCommand];
  std::memcpy(command, data + from * kCommand, kCommand);
  const auto drop = [&](std::size_t at) {
    std::memmove(data + at * kCommand, data + (at + 1) * kCommand, size - (at + 1) * kCommand);
    return size - kCommand;
  };
  const auto insert = [&](std::size_t at) {
    if (size + kCommand > most) return size;
    std::memmove(data + (at + 1) * kCommand, data + at * kCommand, size - at * kCommand);
    std::memcpy(data + at * kCommand, command, kCommand);
    return size + kCommand;
  };
  switch (random() % 5) {
    case 0:
      return drop(from);
    case 1:
      return insert(to);
    case 2:
      size = drop(from);
      return insert(std::min(to, size / kCommand));
    case 3:
      for (std::size_t count = std::size_t{1} << random() % 5; count > 0; --count) {
        for (std::size_t i = 0; i < kCommand; ++i) {
          if (i != 1 || random() % 4 == 0) command[i] = static_cast<std::uint8_t>(random() >> 8U);
        }
        size = insert(to);
      }
      return size;
    default:
      data[to * kCommand + random() % kCommand] = static_cast<std::uint8_t>(random() >> 8U);
      return size;
  }
}

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  static_cast<void>(tandem::log::apply_spec("off"));
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::size_t commands = std::min(size / kCommand, kMostCommands);
  if (commands < 2) return 0;
  play(data, commands);
  return 0;
}
