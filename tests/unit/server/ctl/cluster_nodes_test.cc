#include "server/ctl/cluster_nodes.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace tandem::ctl {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("Pacemaker's list of nodes is read, those that are lost, too") {
  CHECK(read_node_list("1 ovn1 member\n2 ovn2 lost\n\n3 (null)\nnonsense\n") ==
        Names{"ovn1", "ovn2"});
}

TEST_CASE("servers of other nodes are looked for at the ports of those here") {
  const Json nb = {{"node_name", "ovn1"}, {"http", {"http://[::]:9641", "https://[::]:9651"}}};
  const Json sb = {{"host", "ovn1"}, {"http", {"http://0.0.0.0:9642"}}};
  const Names nodes{"ovn1", "ovn2"};
  CHECK(neighbours({nb, sb}, nodes) == Names{"ovn2:9641", "ovn2:9642"});
  CHECK(neighbours({Json::object()}, nodes).empty());
  CHECK(neighbours({}, {}).empty());
}

}  // namespace
}  // namespace tandem::ctl
