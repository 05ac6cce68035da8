#include "tests/simulation/pacemaker/reference_agent.h"

#include <fmt/core.h>

namespace tandem::simulation::pacemaker {

void ReferenceAgent::begin(const Request& request, Done done) {
  const std::uint64_t number = ++number_;
  world_.after(20 + world_.ms(200), [this, alive = std::weak_ptr(alive_), number, request, done] {
    if (!alive.expired() && number == number_) done(act(request));
  });
}

Ocf ReferenceAgent::act(const Request& request) {
  switch (request.action) {
    case Request::Action::kStart:
      copy_.running = true;
      copy_.active = false;
      publish();
      return Ocf::kSuccess;
    case Request::Action::kStop:
      copy_.running = copy_.active = false;
      set_score({-Score::kInfinity});
      return Ocf::kSuccess;
    case Request::Action::kPromote:
      return promote();
    case Request::Action::kDemote:
      if (!copy_.running) return Ocf::kError;
      copy_.active = false;
      publish();
      return Ocf::kSuccess;
    case Request::Action::kMonitor:
      return look(request);
    case Request::Action::kNotify:
      if (copy_.running) publish();
      return Ocf::kSuccess;
  }
  return Ocf::kError;
}

Ocf ReferenceAgent::look(const Request& request) {
  if (!copy_.running) return Ocf::kNotRunning;
  publish();
  if (!copy_.active) return request.promoted ? Ocf::kFailedPromoted : Ocf::kSuccess;
  if (tools_.quorum() == true && is_best()) copy_.lease_ends_ms = world_.now_ms() + kLeaseMs;
  // Then it has to be recovered, elsewhere perhaps.
  const bool deposed = tools_.quorum() == true && !is_best();
  return deposed ? Ocf::kFailedPromoted : Ocf::kRunningPromoted;
}

Ocf ReferenceAgent::promote() {
  if (!copy_.running || tools_.quorum() != true || !is_best()) return Ocf::kError;
  ++copy_.epoch;
  copy_.active = true;
  copy_.lease_ends_ms = world_.now_ms() + kLeaseMs;
  publish();
  return Ocf::kSuccess;
}

bool ReferenceAgent::is_best() const {
  if (!tools_.has_attributes()) return false;
  for (const auto& [node, text] : tools_.attribute("position")) {
    std::pair<std::int64_t, std::int64_t> other;
    if (std::sscanf(text.c_str(), "%ld,%ld", &other.first, &other.second) == 2 && node != name_ &&
        other > copy_.standing())
      return false;
  }
  return true;
}

void ReferenceAgent::publish() {
  tools_.set_attribute("position", fmt::format("{},{}", copy_.epoch, copy_.index));
  const bool best = is_best();
  set_score(copy_.active ? Score{1000} : best ? Score{9} : Score{-Score::kInfinity});
}

void ReferenceAgent::set_score(Score score) {
  tools_.set_attribute(kPromotionScore, score.to_string());
}

}  // namespace tandem::simulation::pacemaker
