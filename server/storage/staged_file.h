#pragma once

#include <memory>
#include <string>

#include "server/storage/file_system.h"

namespace tandem::storage {

/// Opens a file to read what it holds: that is what is staged in it (overwriting.h), where an
/// overwriting is under way or was interrupted, and otherwise its own bytes.
IoResult<std::unique_ptr<File>> open_to_read(FileSystem& files, const std::string& path);

}  // namespace tandem::storage
