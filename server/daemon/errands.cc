#include "server/daemon/errands.h"

namespace tandem {

Error server_is_busy() {
  return {"the server is busy, and nothing was changed: try again later", "", std::nullopt};
}

}  // namespace tandem
