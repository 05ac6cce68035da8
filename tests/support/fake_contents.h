#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace tandem::test {

/// What a file on a disk in memory holds, and what of it a power loss would leave.
struct FakeContents {
  std::string now;               ///< what reads see
  std::string durable;           ///< what a power loss leaves at least
  std::size_t same = 0;          ///< bytes at the beginning that both have, as far as is known
  std::size_t least = SIZE_MAX;  ///< the smallest size since the last sync

  void write(std::size_t offset, std::string_view bytes) {
    if (now.size() < offset + bytes.size()) now.resize(offset + bytes.size());
    now.replace(offset, bytes.size(), bytes);
    same = std::min(same, offset);
  }

  void truncate(std::size_t size) {
    now.resize(size);
    same = std::min(same, size);
    least = std::min(least, size);
  }

  void sync() {
    durable.replace(same, std::string::npos, now, same);
    same = now.size();
    least = SIZE_MAX;
  }

  /// Of bytes appended since the last sync a part stays, perhaps with zeros at the end; of those
  /// overwritten each block may be the old or the new one, whatever became of the size.
  void lose_unsynced(std::mt19937_64& random) {
    if (now.starts_with(durable)) {
      const std::size_t appended = now.size() - durable.size();
      const std::size_t kept = durable.size() + random() % (appended + 1);
      const std::size_t zeros = random() % 2 ? random() % (now.size() - kept + 1) : 0;
      now.resize(kept);
      now.append(zeros, '\0');
      same = std::min(same, kept);
    } else {
      const std::string written = now;
      if (random() % 2) now = durable;
      same = 0;
      constexpr std::size_t kBlock = 16;
      const std::size_t overwritten = std::min({least, written.size(), durable.size()});
      for (std::size_t at = 0; at < overwritten; at += kBlock) {
        const std::size_t size = std::min(kBlock, overwritten - at);
        if (written.compare(at, size, durable, at, size) == 0) continue;
        now.replace(at, size, random() % 2 ? written : durable, at, size);
      }
    }
    sync();
  }
};

}  // namespace tandem::test
