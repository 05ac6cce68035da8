#include "server/writer/server_row.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

Standing opened(std::int64_t ms, std::uint64_t records) {
  return {{Epoch{1}, records, Uuid{1, 9}}, {}, Uuid{1, 1}, ms};
}

TEST_CASE("the advertised index grows with the time of the promotion first") {
  CHECK(advertised_index(opened(0, 0)) == 0);
  CHECK(advertised_index(opened(0, 7)) == 7);
  CHECK(advertised_index(opened(1'700'000'000'000, 0)) >
        advertised_index(opened(0, 1'000'000'000)));
  CHECK(advertised_index(opened(1'700'000'000'001, 0)) >
        advertised_index(opened(1'700'000'000'000, 1'000'000)));
  CHECK(advertised_index(opened(5, 5)) > advertised_index(opened(5, 4)));
  CHECK(advertised_index(opened((std::int64_t{1} << 42) - 1, std::uint64_t{1} << 62)) > 0);
}

TEST_CASE("within one history no index is less than one that was shown") {
  const Standing far{{Epoch{1}, 9, Uuid{1, 9}}, {}, Uuid{1, 1}};
  const Standing near{{Epoch{1}, 5, Uuid{1, 5}}, {}, Uuid{1, 1}};
  const Standing other{{Epoch{0}, 2, Uuid{2, 2}}, {}, Uuid{2, 1}};
  const auto shown = [](const Standing& standing, const std::optional<ServerRow>& before) {
    ServerRow row;
    show_as_clustered(row, AdvertisedRole::kLeader, false, Uuid{3, 3}, standing, before);
    return row;
  };
  const ServerRow first = shown(far, {});
  CHECK(first.cid == Uuid{1, 1});
  CHECK(shown(near, {}).index < first.index);
  CHECK(shown(near, first).index == first.index);
  CHECK(shown(other, first).index == 2);
}

}  // namespace
}  // namespace tandem
