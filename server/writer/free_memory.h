#pragma once

namespace tandem {

/// Gives memory that nobody uses back to the system at once, whatever the allocator. Takes
/// milliseconds; any thread.
void give_back_memory();

}  // namespace tandem
