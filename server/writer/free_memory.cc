#include "server/writer/free_memory.h"

#include <malloc.h>

#include <cstddef>

/// jemalloc's, where the program is linked with it (jemalloc(3)).
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old_value, std::size_t* old_size,
                                     void* new_value, std::size_t new_size);

namespace tandem {

void give_back_memory() {
  if (mallctl == nullptr) {
    ::malloc_trim(0);
    return;
  }
  mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);
  mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // 4096: all arenas
}

}  // namespace tandem
