#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "server/storage/file_system.h"

/// How a file gets other contents where no other file may take its name, without a moment at which
/// a crash would lose them: stage_contents(), then settle_staged(), which may be tried again at any
/// time. Any one thread at a time. A file descriptor of its own is to be used: an error of the
/// kernel is told once a descriptor.
namespace tandem::storage {

/// Where a file holds contents that are to take the place of its own.
struct StagedContents {
  std::uint64_t begin;  ///< offset of the first byte
  std::uint64_t size;   ///< bytes, at most `begin`
};

/// Writes the first `size` bytes of `contents` behind the first `end` bytes of the file, which
/// stay, with a mark that they are complete; all durable. No reader takes them for records. After a
/// failure the file is to be cut off at `end`.
IoResult<void> stage_contents(File& file, std::uint64_t end, const File& contents,
                              std::uint64_t size);

/// What is staged in a file, if all of it is.
IoResult<std::optional<StagedContents>> find_staged(const File& file);

/// Puts what is staged in its place, durable, and cuts off all else, which the caller syncs before
/// it appends. On failure it stays staged. False: nothing is staged, and nothing was done.
IoResult<bool> settle_staged(File& file);

/// Between bytes as they are staged and as they are.
void invert(std::span<char> bytes);

/// Contents that were being staged when the process or the machine ended begin at `offset`.
IoResult<bool> is_staging(const File& file, std::uint64_t offset);
/// The same for what was read there.
bool begins_staged(std::string_view text);

}  // namespace tandem::storage
