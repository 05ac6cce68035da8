#include "server/session/backlog.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "server/session/merged_rows.h"
#include "server/session/remains.h"

namespace tandem {
namespace {

const SchemaRef& schema() {
  static const SchemaRef schema =
      DatabaseSchema::from_text(
          R"({"name":"db","tables":{"t":{"columns":{"n":{"type":"integer"}}},)"
          R"("u":{"columns":{"n":{"type":"integer"}}}}})")
          .value();
  return schema;
}

/// A row, which changes as the test says.
struct Subject {
  RowChange change(bool exists) {
    RowRef after = exists ? RowRef(Row::create(schema()->table(table), uuid)) : RowRef();
    return {table, std::exchange(row, after), after};
  }
  TableIndex table;
  Uuid uuid;
  RowRef row;
};

std::vector<Subject> subjects(std::size_t count) {
  std::vector<Subject> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back({static_cast<TableIndex>(i % 2), Uuid{i / 2, 0}, {}});
  return all;
}

/// By table and row, what the parts come to.
using Net = std::map<std::pair<TableIndex, Uuid>, std::pair<const Row*, const Row*>>;

Net net_of(const NetParts& parts) {
  Net net;
  for (const auto& part : parts) {
    for (const auto& [table, rows] : part->tables()) {
      for (const auto& [uuid, change] : rows) {
        const auto [place, is_new] =
            net.try_emplace({table, uuid}, change.before.get(), change.after.get());
        if (!is_new) {
          CHECK(place->second.second == change.before.get());
          place->second.second = change.after.get();
        }
      }
    }
  }
  std::erase_if(net, [](const auto& entry) {
    return entry.second.first == nullptr && entry.second.second == nullptr;
  });
  return net;
}

/// The same as readers find it, who look at few rows at a time.
Net merged(const NetParts& parts, std::size_t budget) {
  Net net;
  for (const TableIndex table : {TableIndex{0}, TableIndex{1}}) {
    MergedRows rows(parts, table);
    while (!rows.ended()) {
      std::size_t left = budget;
      while (left > 0 && !rows.ended()) {
        const auto change = rows.next(left);
        if (!change || (change->before == nullptr && change->after == nullptr)) continue;
        const Uuid& uuid = (change->after != nullptr ? change->after : change->before)->uuid();
        REQUIRE(net.try_emplace({table, uuid}, change->before, change->after).second);
      }
    }
  }
  return net;
}

Net net_of(const std::vector<RowChange>& changes, std::size_t from) {
  NetChanges net;
  for (std::size_t i = from; i < changes.size(); ++i) net.add(changes[i]);
  return net_of(NetParts{std::make_shared<const NetChanges>(std::move(net))});
}

TEST_CASE(
    "each part of a backlog is what was added since it began, whoever comes, reads and goes") {
  std::mt19937 random(7);
  const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  for (int round = 0; round < 200; ++round) {
    struct Reader {
      Backlog::Cursor cursor;
      std::size_t begin;
    };
    struct Read {
      NetPartsRef parts;
      Net expected;
    };
    Backlog backlog;
    std::vector<Subject> rows = subjects(12);
    std::vector<RowChange> all;
    std::vector<Reader> readers;
    std::vector<Read> reads;
    for (int step = 0; step < 100; ++step) {
      if (readers.size() < 5 && chance(20)) readers.push_back({backlog.open(), all.size()});
      if (!backlog.empty()) {
        Subject& row = rows[random() % rows.size()];
        all.push_back(row.change(!row.row || chance(60)));
        backlog.add(all.back());
      }
      backlog.merge_some(random() % 4);
      if (!readers.empty() && chance(20)) {
        const std::size_t which = random() % readers.size();
        const Reader reader = readers[which];
        reads.push_back({backlog.read(reader.cursor), net_of(all, reader.begin)});
        if (chance(50)) {
          backlog.close(reader.cursor);
          readers.erase(readers.begin() + static_cast<std::ptrdiff_t>(which));
        }
      }
      // Changes that are being read stay as they were.
      for (const Read& read : reads) {
        REQUIRE(net_of(*read.parts) == read.expected);
        REQUIRE(merged(*read.parts, 1 + random() % 5) == read.expected);
      }
      if (!reads.empty() && chance(30)) reads.erase(reads.begin());
    }
    for (const Reader& reader : readers)
      REQUIRE(net_of(*backlog.read(reader.cursor)) == net_of(all, reader.begin));
  }
}

TEST_CASE("rows of many parts are put in order once, for all who read them") {
  std::vector<Subject> rows = subjects(2000);
  NetParts parts;
  for (int i = 0; i < 20; ++i) {
    auto part = std::make_shared<NetChanges>();
    for (Subject& row : rows) part->add(row.change(true));
    parts.push_back(part);
  }
  const auto looked_at = [&] {
    std::size_t looked = 0;
    MergedRows merged(parts, 0);
    while (!merged.ended()) {
      std::size_t left = 100;
      merged.next(left);
      looked += 100 - left;
    }
    return looked;
  };
  const std::size_t first = looked_at();
  CHECK(first > 20 * 1000 * 4);
  CHECK(looked_at() < 20 * 1000 + 2 * 1000);
}

TEST_CASE("what nobody reads any more is freed some at a time, and what others read stays") {
  std::vector<Subject> rows = subjects(5000);
  const auto others = std::make_shared<NetChanges>();
  for (Subject& row : rows) others->add(row.change(true));
  NetParts parts{others, std::make_shared<NetChanges>()};
  for (Subject& row : rows) {
    std::const_pointer_cast<NetChanges>(parts.back())->add(row.change(true));
  }
  int turns = 1;
  while (free_some(parts)) ++turns;
  CHECK(turns >= 5);
  CHECK(parts.empty());
  CHECK(others->size() == 5000);
}

TEST_CASE("what somebody reads is not copied when more is added") {
  Backlog backlog;
  std::vector<Subject> rows = subjects(100);
  const Backlog::Cursor cursor = backlog.open();
  for (Subject& row : rows) backlog.add(row.change(true));
  const NetPartsRef first = backlog.read(cursor);
  REQUIRE(first->size() == 1);
  CHECK(backlog.read(cursor) == first);
  backlog.add(rows[0].change(true));
  const NetPartsRef second = backlog.read(cursor);
  REQUIRE(second->size() == 2);
  CHECK(second->front() == first->front());
  CHECK(second->back()->size() == 1);
}

TEST_CASE("links where nobody's part begins become one, some rows at a time") {
  Backlog backlog;
  std::vector<Subject> rows = subjects(1000);
  const Backlog::Cursor first = backlog.open();
  for (Subject& row : rows) backlog.add(row.change(true));
  const Backlog::Cursor second = backlog.open();
  for (Subject& row : rows) backlog.add(row.change(true));
  const Backlog::Cursor third = backlog.open();
  backlog.add(rows[0].change(true));
  backlog.close(second);
  CHECK(backlog.size() == 3);
  for (int i = 0; i < 9; ++i) backlog.merge_some(100);
  CHECK(backlog.size() == 3);
  {
    const NetPartsRef read = backlog.read(first);
    backlog.merge_some(200);
    CHECK(backlog.size() == 3);
    CHECK(net_of(*read).size() == 1000);
  }
  backlog.merge_some(200);
  CHECK(backlog.size() == 2);
  CHECK(backlog.read(third)->size() == 1);
}

TEST_CASE("when nothing is read the rows of many parts that went are there once") {
  Backlog backlog;
  std::vector<Subject> rows = subjects(100);
  const Backlog::Cursor first = backlog.open();
  for (int i = 0; i < 50; ++i) {
    const Backlog::Cursor next = backlog.open();
    for (Subject& row : rows) backlog.add(row.change(true));
    backlog.close(next);
    backlog.merge_some(1600);
  }
  CHECK(backlog.size() <= 3);
  std::size_t held = 0;
  const NetPartsRef read = backlog.read(first);
  for (const auto& part : *read) held += part->size();
  CHECK(held <= 300);
}

}  // namespace
}  // namespace tandem
