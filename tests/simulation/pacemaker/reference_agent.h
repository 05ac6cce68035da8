#pragma once

#include <memory>

#include "tests/simulation/pacemaker/node_agent.h"
#include "tests/simulation/world.h"

namespace tandem::simulation::pacemaker {

/// A copy as two numbers. The active, while its lease lasts, writes; what the others that it
/// reaches have, they have.
struct SmallCopy {
  std::int64_t epoch = 0;
  std::int64_t index = 0;
  bool running = false;
  bool active = false;
  std::int64_t lease_ends_ms = 0;

  bool is_writable(std::int64_t now_ms) const {
    return running && active && now_ms < lease_ends_ms;
  }
  auto standing() const { return std::pair(epoch, index); }
};

/// The least agent that is safe, to try the model with: a lease with a real round trip to corosync,
/// bans instead of missing scores, a comparison at the moment of promotion.
class ReferenceAgent final : public NodeAgent {
 public:
  static constexpr std::int64_t kLeaseMs = 20'000;

  ReferenceAgent(World& world, SmallCopy& copy, std::string name, ClusterTools& tools)
      : world_(world), copy_(copy), name_(std::move(name)), tools_(tools) {}

  void begin(const Request& request, Done done) override;
  void kill() override { ++number_; }

 private:
  Ocf act(const Request& request);
  Ocf look(const Request& request);
  Ocf promote();
  void publish();
  void set_score(Score score);
  bool is_best() const;

  World& world_;
  SmallCopy& copy_;
  const std::string name_;
  ClusterTools& tools_;
  std::uint64_t number_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace tandem::simulation::pacemaker
