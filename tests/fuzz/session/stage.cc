#include "tests/fuzz/session/stage.h"

#include <array>

#include "server/session/session.h"
#include "tests/fuzz/fuzz.h"

namespace tandem::fuzz {
namespace {

std::string file_of(std::size_t database) {
  return "/db/" + Stage::database_name(database) + ".db";
}

std::string make_schema(std::size_t database, std::size_t variant) {
  std::string t = R"("n":{"type":"integer"})";
  if (variant != 2) t += R"(,"s":{"type":"string"})";
  t += R"(,"tags":{"type":{"key":"string","min":0,"max":"unlimited"}})";
  t += R"(,"m":{"type":{"key":"string","value":"integer","min":0,"max":"unlimited"}})";
  if (variant == 1) t += R"(,"extra":{"type":"integer"})";
  std::string tables = R"("T":{"isRoot":true,"columns":{)" + t + "}}";
  if (variant != 3) {
    tables += R"(,"P":{"isRoot":true,"indexes":[["name"]],"columns":{"name":{"type":"string"},
      "kids":{"type":{"key":{"type":"uuid","refTable":"C"},"min":0,"max":"unlimited"}},
      "weak":{"type":{"key":{"type":"uuid","refTable":"T","refType":"weak"},"min":0,"max":"unlimited"}}}},
      "C":{"columns":{"n":{"type":"integer"}}})";
  }
  return R"({"name":")" + Stage::database_name(database) + R"(","version":"1.)" +
         std::to_string(variant) + R"(.0","tables":{)" + tables + "}}";
}

std::string contents_of(const StoredDatabase& stored) {
  return fuzz::contents_of(stored.database());
}

}  // namespace

const std::string& Stage::database_name(std::size_t database) {
  static const std::array<std::string, kDatabases> names{"D0", "D1"};
  return names[database % kDatabases];
}

const std::string& Stage::schema_text(std::size_t database, std::size_t variant) {
  static const auto texts = [] {
    std::array<std::array<std::string, kSchemas>, kDatabases> all;
    for (std::size_t i = 0; i < kDatabases; ++i) {
      for (std::size_t j = 0; j < kSchemas; ++j) all[i][j] = make_schema(i, j);
    }
    return all;
  }();
  return texts[database % kDatabases][variant % kSchemas];
}

Stage::Stage(const CommitGate::Options& gate, std::size_t history_bytes)
    : history_bytes_(history_bytes) {
  server_ = std::make_unique<DatabaseServer>(DatabaseServer::Ports{
      clock_, disk_, syncer_, background_, [this](std::int64_t at_ms) { wake_ms_ = at_ms; }});
  for (StageShard& shard : shards_) {
    // A backup's word that another is made active ends the lease.
    hubs_.push_back(std::make_unique<ClientHub>(*server_, shard, shard, [this, &shard] {
      server_->submit([this] { server_->set_write_deadline(clock_.now_ms); }, shard);
    }));
  }
  server_->set_sync(gate);
  for (std::size_t i = 0; i < kDatabases; ++i) {
    static_cast<void>(storage::LogFile::create(disk_, file_of(i), schema_text(i, 0)).value());
    add_database(i);
  }
  run();
}

Stage::~Stage() = default;

bool Stage::idle() const { return shards_[0].idle() && shards_[1].idle(); }

void Stage::run() {
  while (!idle()) {
    for (StageShard& shard : shards_) shard.run();
  }
}

void Stage::advance(std::int64_t ms) {
  clock_.now_ms += ms;
  if (!wake_ms_ || *wake_ms_ > clock_.now_ms) return;
  wake_ms_.reset();
  server_->submit([this] { server_->tick(); }, shards_[0]);
}

void Stage::set_gate(const CommitGate::Options& gate) {
  call([&] { server_->set_sync(gate); });
}

void Stage::set_backup(std::size_t database, bool backup) {
  call([&] {
    if (ServedDatabase* served = server_->find(database_name(database)))
      server_->set_backup(*served, backup);
  });
}

void Stage::promote(std::size_t database) {
  call([&] {
    if (ServedDatabase* served = server_->find(database_name(database)))
      static_cast<void>(server_->promote(*served));
  });
}

void Stage::set_write_deadline(std::optional<std::int64_t> in_ms) {
  call([&] {
    server_->set_write_deadline(in_ms ? std::optional(clock_.now_ms + *in_ms) : std::nullopt);
  });
}

void Stage::compact(std::size_t database) {
  call([&] {
    if (ServedDatabase* served = server_->find(database_name(database)))
      server_->compact(*served, [](const Result<void>&) {});
  });
}

void Stage::add_database(std::size_t database) {
  call([&] {
    StoredDatabase::Options options;
    options.history_bytes = history_bytes_;
    auto stored = StoredDatabase::open(disk_, file_of(database), options, clock_);
    if (stored) static_cast<void>(server_->add(std::move(stored.value())));
  });
}

void Stage::remove_database(std::size_t database) {
  call([&] { static_cast<void>(server_->remove(database_name(database))); });
}

void Stage::disable_conditional_monitors() {
  for (std::size_t i = 0; i < kShards; ++i)
    shards_[i].post([hub = hubs_[i].get()] { hub->disable_conditional_monitors(); });
}

const ServedDatabase* Stage::database(const std::string& name) { return server_->find(name); }

DatabaseInfoRef Stage::info(const std::string& name) {
  const ServedDatabase* served = server_->find(name);
  return served == nullptr ? nullptr : served->info;
}

Position Stage::position(const std::string& name) {
  const ServedDatabase* served = server_->find(name);
  return served == nullptr ? Position{} : served->stored->position();
}

void Stage::check_log(std::size_t database) {
  const ServedDatabase* served = server_->find(database_name(database));
  if (served == nullptr || served->stored->log()->health().stopped) return;
  StoredDatabase::Options options;
  options.access = storage::LogFile::Access::kReadOnly;
  const auto stored = StoredDatabase::open(disk_, file_of(database), options, clock_);
  require(stored.has_value(), "a log can be read");
  require(contents_of(*stored.value()) == contents_of(*served->stored),
          "a log holds what is in memory");
  require(stored.value()->position() == served->stored->position(),
          "a log leads to the position in memory");
}

void Stage::come_to_rest() {
  disk_.heal_all();
  set_write_deadline({});
  set_gate({});
  for (int i = 0; i < 100; ++i) {
    run();
    run_background();
    run_syncs();
    run();
    advance(10'000);
    if (idle() && background_.idle() && syncer_.idle() && !wake_ms_) return;
  }
  require(false, "a server comes to rest");
}

void Stage::check_forgotten() {
  for (const auto& hub : hubs_) {
    const ClientHub::Usage usage = hub->usage();
    require(usage.sessions == 0, "sessions go with their connections");
    require(usage.monitors == 0, "monitors go with their sessions");
  }
  for (const auto& [name, database] : server_->databases()) {
    require(database->blocked.empty(), "blocked transactions go with their sessions");
    require(database->followers.empty(), "followers go with their sessions");
    require(database->gate.followers().empty(), "the gate forgets followers that are gone");
    require(server_->waiting(*database) == 0, "nothing waits for a gate that is open");
  }
  call([&] {
    for (const char* lock : {"L0", "L1", "L2"}) {
      const auto owned = server_->lock(SessionId{UINT64_MAX}, lock, LockTable::Mode::kLock);
      require(owned == true, "locks go with their sessions");
      server_->unlock(SessionId{UINT64_MAX}, lock);
    }
  });
}

}  // namespace tandem::fuzz
