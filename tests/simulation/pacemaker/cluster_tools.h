#pragma once

#include <memory>

#include "tests/simulation/pacemaker/pacemaker_node.h"

namespace tandem::simulation::pacemaker {

/// Pacemaker's tools on one node. Lives as long as the node is up.
class Pacemaker::Tools final : public ClusterTools {
 public:
  Tools(Pacemaker& cluster, std::size_t i) : cluster_(cluster), i_(i) {}

  bool has_attributes() const override { return !node().attrd_is_silent; }
  void set_attribute(const std::string& name, const std::string& value,
                     const std::string& host) override;
  void set_attribute(const std::string& name, const std::string& value) override {
    set_attribute(name, value, node().configured.name);
  }
  Values attribute(const std::string& name) const override;
  std::optional<std::string> property(const std::string& name) const override;
  bool set_property(const std::string& name, const std::string& value) override {
    return cluster_.write_property(i_, name, value);
  }
  bool cached_quorum() const override { return node().view.size() * 2 > cluster_.nodes_.size(); }
  std::optional<bool> quorum() const override {
    return node().hung ? std::nullopt : std::optional(cached_quorum());
  }
  bool is_maintenance() const override { return cluster_.maintenance_; }
  void report_failure() override { node().executor->fail(); }

 private:
  Node& node() const { return *cluster_.nodes_[i_]; }

  Pacemaker& cluster_;
  const std::size_t i_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace tandem::simulation::pacemaker
