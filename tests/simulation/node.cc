#include "tests/simulation/node.h"

#include <fmt/core.h>

#include <algorithm>

#include "server/forwarding/remote_forwarder.h"

namespace tandem::simulation {
namespace {

std::string schema_of(const std::string& database) {
  return R"({"name":")" + database +
         R"(","version":"1.0.0","tables":{"t":{"columns":{"n":{"type":"integer"},)"
         R"("v":{"type":"integer"},"s":{"type":"string","ephemeral":true}},"isRoot":true}}})";
}

std::pair<std::int64_t, std::int64_t> entry_of(const DatabaseSchema& schema, const Row& row) {
  const auto value = [&](std::string_view column) {
    return std::get<std::int64_t>(row.view(schema.table(0).find_column(column).value()).key(0));
  };
  return {value("n"), value("v")};
}

}  // namespace

std::string file_of(const std::string& database) { return "/db/" + database + ".db"; }

Contents contents_of(const Snapshot& snapshot) {
  Contents contents;
  snapshot.tables[0].for_each(
      [&](const Row& row) { contents.insert(entry_of(*snapshot.schema, row)); });
  return contents;
}

bool has_row(const Snapshot& snapshot, std::int64_t number) {
  bool found = false;
  snapshot.tables[0].for_each(
      [&](const Row& row) { found = found || entry_of(*snapshot.schema, row).first == number; });
  return found;
}

// --- Reader ---

void Reader::on_commit(const DatabaseInfoRef& database, const CommitRef& commit) {
  if (database->name == "_Server") return;
  Contents& view = views_[database->name];
  const bool is_active = !server_.find(database->name)->is_backup();
  for (const RowChange& change : commit->changes) {
    if (change.before) view.erase(entry_of(*commit->schema, *change.before).first);
    if (!change.after) continue;
    const auto [number, value] = entry_of(*commit->schema, *change.after);
    view[number] = value;
    if (!is_active || change.before) continue;
    Ledger::Write& write = ledger_.databases[database->name][number];
    write.published = true;
    write.index = commit->position.index;
  }
}

// --- SlowSyncer ---

void SlowSyncer::sync(std::shared_ptr<storage::LogFile> log, Done done) {
  if (!node_.guards.sync_first) std::exchange(done, [](const Result<void>&) {})({});
  const auto flush = [this, log = std::move(log), done = std::move(done),
                      alive = std::weak_ptr(alive_)] {
    if (!alive.expired() && shard_.is_alive()) done(log->sync());
  };
  world_.after(world_.ms(8), [this, flush, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    if (!node_.hanging.hangs()) return flush();
    node_.hanging.wait(flush);
  });
}

// --- Process ---

Process::Process(World& w, Node& node, Ledger& ledger)
    : world(w),
      shard(w, node.hanging),
      syncer(w, shard, node),
      server(
          {node.clock, node.disk, syncer, shard, [this](std::int64_t at_ms) { wake_at(at_ms); }}),
      hub(std::make_unique<ClientHub>(server, shard, shard,
                                      [this] { shard.post([this] { role.depose(); }); })),
      reader(server, shard, ledger),
      role(node, *this),
      node_(node) {
  server.set_sync(node.scenario.gate);
  StoredDatabase::Options options;
  options.history_bytes = node.scenario.history_bytes;
  server.call(
      [&] {
        if (node.scenario.relays > 0) server.set_advertised_role(AdvertisedRole::kLeader);
        for (const std::string& name : node.scenario.databases) {
          auto stored = StoredDatabase::open(node.disk, file_of(name), options, node.clock);
          reader.begin(name, contents_of(stored.value()->database().snapshot()));
          static_cast<void>(server.add(std::move(stored.value())).value());
        }
      },
      shard);
}

Process::~Process() {
  alive_.reset();
  shard.kill();
  stop_following();
  for (const std::weak_ptr<Wire>& other : served) {
    if (const auto wire = other.lock()) wire->forget_session();
  }
  close_served();
}

bool Process::waits_for_disk() const { return node_.hanging.holds_writes(); }

void Process::wake_at(std::int64_t at_ms) {
  world.at(node_.clock.world_ms(at_ms), [this, at_ms, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    if (!shard.is_stopped()) return server.submit([this] { server.tick(); }, shard);
    world.after(20, [this, at_ms, alive] {
      if (!alive.expired()) wake_at(at_ms);
    });
  });
}

void Process::close_served() {
  for (const std::weak_ptr<Wire>& other : served) {
    if (const auto wire = other.lock()) wire->cut();
  }
}

std::int64_t Process::monotonic_ms() const { return node_.clock.monotonic_ms(); }

void Process::log_info(const std::string& text) { world.trace(node_.name, text); }

void Process::follow(Source source) {
  world.trace(node_.name, "is to follow " + source.name);
  stop_following();
  source_ = std::move(source);
  link_ = std::make_unique<ActiveLink>(
      BackupIdentity{server.server_id(), node_.name, node_.name, source_.least_epoch},
      static_cast<ActiveLinkPort&>(*this));
  for (const std::string& name : node_.scenario.databases) {
    const DatabaseInfoRef info = look([&] { return database(name).info; });
    replicas_.push_back(
        std::make_unique<DatabaseReplica>(server, shard, info, std::set<std::string>()));
    link_->add(name, *replicas_.back());
    if (!node_.scenario.forwards) continue;
    server.submit(
        [this, name,
         forwarder = std::make_shared<RemoteForwarder>(server, shard, forwards_.add(name))] {
          server.set_forwarder(database(name), forwarder);
        },
        shard);
  }
}

void Process::answer(std::unique_ptr<TransactCall> call) {
  if (!shard.is_alive()) return;
  server.submit([this, call = std::move(call)]() mutable { server.answer(std::move(call)); },
                shard);
}

void Process::take_back(std::unique_ptr<TransactCall> call) {
  if (!shard.is_alive()) return;
  RemoteForwarder::take_back(server, shard, std::move(call));
}

void Process::stop_following() {
  if (wire_) {
    wire_->close_link();
    wire_.reset();
  }
  forwards_.end("another role");
  link_.reset();
  replicas_.clear();
  source_ = {};
}

void Process::depose_active() {
  if (link_) link_->depose();
}

void Process::tick() {
  if (shard.is_stopped()) return;
  server.submit([this] { server.look_at_failing_logs(); }, shard);
  if (!link_) return;
  link_->tick();
  forwards_.tick(monotonic_ms());
  changed();
  if (wire_ && wire_->is_closed()) wire_.reset();
  if (wire_) return;
  Node* const source = source_.reach();
  if (source == nullptr || !source->is_up()) return;
  Process& other = *source->process;
  wire_ = std::make_shared<Wire>(world, static_cast<LinkEnd&>(*this), shard, *other.hub,
                                 other.shard, node_.is_plain() || source->is_plain());
  other.served.push_back(wire_);
  wire_->open();
}

// --- Node ---

Node::Node(World& w, const Scenario& s, Ledger& ledger, std::size_t i)
    : world(w),
      scenario(s),
      index(i),
      name(1, static_cast<char>('a' + i)),
      clock(w),
      hanging(w),
      ledger_(ledger) {
  for (const std::string& database : scenario.databases) {
    static_cast<void>(
        storage::LogFile::create(disk, file_of(database), schema_of(database)).value());
    if (scenario.files_mounted) disk.put_mount(file_of(database));
  }
}

void Node::start(const std::optional<KeptRole>& before) {
  process = std::make_unique<Process>(world, *this, ledger_);
  process->role.start(before);
  tick(++starts_);
}

// By number: another process may live where one that was killed did.
void Node::tick(std::uint64_t of) {
  if (process == nullptr || of != starts_) return;
  process->tick();
  world.after(50 + world.ms(200), [this, of] { tick(of); });
}

bool Node::damage_file(const std::string& database) {
  std::string file = disk.contents(file_of(database));
  std::vector<std::size_t> begins;
  for (std::size_t at = file.find("OVSDB JSON "); at != std::string::npos;
       at = file.find("OVSDB JSON ", at + 1))
    begins.push_back(at);
  // The last one may be torn.
  if (begins.size() < 4) return false;
  const std::size_t record = 1 + world.random(begins.size() - 3);
  const std::size_t length = begins[record + 1] - begins[record];
  file[begins[record] + world.random(length - 1)] ^= 1;
  disk.put(file_of(database), file);
  return true;
}

bool Node::is_damaged() {
  return is_up() && process->look([&] {
    return std::any_of(
        scenario.databases.begin(), scenario.databases.end(),
        [&](const std::string& name) { return process->database(name).stored->is_damaged(); });
  });
}

Position Node::position(const std::string& database) {
  return process->look([&] {
    if (!process->waits_for_disk()) process->server.flush();
    return process->database(database).stored->position();
  });
}

storage::LogHealth Node::health(const std::string& database) {
  storage::LogHealth health = process->database(database).stored->log()->health();
  if (!guards.health) health.failure.reset();
  if (guards.health) health.waiting = std::chrono::milliseconds(hanging.waiting_ms());
  if (!guards.damage) health.damage.reset();
  return health;
}

bool Node::has_set_aside(const std::string& database, std::int64_t number) const {
  const std::string text = fmt::format("\"n\":{}", number);
  for (const std::string& path : disk.paths()) {
    if (!path.starts_with(file_of(database) + ".diverged-")) continue;
    const std::string contents = disk.contents(path);
    for (std::size_t at = contents.find(text); at != std::string::npos;
         at = contents.find(text, at + 1)) {
      if (const char after = contents[at + text.size()]; after == '}' || after == ',') return true;
    }
  }
  return false;
}

Contents Node::contents(const std::string& database) {
  return contents_of(process->database(database).stored->database().snapshot());
}

bool Node::holds(const std::string& database, std::int64_t number) {
  return has_row(process->database(database).stored->database().snapshot(), number);
}

}  // namespace tandem::simulation
