#include "server/daemon/handover.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

const HandoverState kState{{"/a.db", "relay:x:tcp:y"},
                           {"punix:\"s\"", "db:a,b,c"},
                           {"db:a,b,c"},
                           "tcp:x:1",
                           true,
                           7,
                           "a:t",
                           30'000,
                           123'456,
                           6,
                           2,
                           500,
                           true,
                           "node1,node2",
                           "node1"};

TEST_CASE("nothing is handed over before it is saved") { CHECK(!HandoverFile().load()); }

TEST_CASE("the last state saved is the one that is handed over") {
  HandoverFile file;
  file.save({});
  file.save(kState);
  CHECK(file.load() == kState);
}

TEST_CASE("epochs of any size and names of any bytes are handed over as they are") {
  HandoverState state = kState;
  state.least_epoch = UINT64_MAX;
  state.deposed_epoch = (std::uint64_t{1} << 60) + 1;
  state.databases = {"/\xff.db"};
  HandoverFile file;
  file.save(state);
  CHECK(file.load() == state);
}

TEST_CASE("many changes do not make the file grow without end") {
  HandoverFile file;
  HandoverState state = kState;
  state.remotes.assign(1000, std::string(100, 'x'));
  for (int i = 0; i < 30; ++i) file.save(state);
  file.save(kState);
  CHECK(file.load() == kState);
}

}  // namespace
}  // namespace tandem
