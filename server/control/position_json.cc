#include "server/control/position_json.h"

#include <nlohmann/json.hpp>

namespace tandem::control {

OrderedJson position_json(const Position& position) {
  return {{"epoch", static_cast<std::uint64_t>(position.epoch)},
          {"index", position.index},
          {"digest", position.digest.to_string()}};
}

}  // namespace tandem::control
