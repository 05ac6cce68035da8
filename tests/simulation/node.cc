#include "tests/simulation/node.h"

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

// --- Reader ---

void Reader::on_commit(const DatabaseInfoRef& database, const CommitRef& commit) {
  if (database->name == "_Server") return;
  Contents& view = views_[database->name];
  const bool is_active = !server_.find(database->name)->backup;
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

// --- Process ---

Process::Process(World& w, Node& node, Ledger& ledger)
    : world(w),
      shard(w),
      syncer(w, shard),
      server({node.clock, node.disk, syncer, shard,
              [this, &node](std::int64_t at_ms) {
                world.at(node.clock.world_ms(at_ms), [this, alive = std::weak_ptr(alive_)] {
                  if (!alive.expired()) server.submit([this] { server.tick(); }, shard);
                });
              }}),
      hub(std::make_unique<ClientHub>(server, shard)),
      reader(server, shard, ledger),
      role(node, *this),
      node_(node) {
  server.set_sync(node.scenario.gate);
  StoredDatabase::Options options;
  options.history_bytes = node.scenario.history_bytes;
  server.call(
      [&] {
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
    if (const auto wire = other.lock()) {
      wire->forget_session();
      wire->cut();
    }
  }
}

std::int64_t Process::monotonic_ms() const { return node_.clock.monotonic_ms(); }

void Process::log_info(const std::string& text) { world.trace(node_.name, text); }

void Process::follow(Node& source) {
  world.trace(node_.name, "is to follow " + source.name);
  stop_following();
  source_ = &source;
  link_ = std::make_unique<ActiveLink>(BackupIdentity{server.server_id(), node_.name},
                                       static_cast<ActiveLinkPort&>(*this));
  for (const std::string& name : node_.scenario.databases) {
    const DatabaseInfoRef info = on_writer([&] { return database(name).info; });
    replicas_.push_back(
        std::make_unique<DatabaseReplica>(server, shard, info, std::set<std::string>()));
    link_->add(name, *replicas_.back());
  }
}

void Process::stop_following() {
  if (wire_) {
    wire_->forget_link();
    wire_->cut();
    wire_.reset();
  }
  link_.reset();
  replicas_.clear();
  source_ = nullptr;
}

void Process::tick() {
  if (!link_) return;
  link_->tick();
  if (wire_ && wire_->is_closed()) wire_.reset();
  if (wire_ || !source_->is_up()) return;
  Process& other = *source_->process;
  wire_ = std::make_shared<Wire>(world, *link_, *other.hub, other.shard,
                                 node_.is_plain() || source_->is_plain());
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
      ledger_(ledger) {
  for (const std::string& database : scenario.databases) {
    static_cast<void>(
        storage::LogFile::create(disk, file_of(database), schema_of(database)).value());
  }
}

void Node::start() {
  process = std::make_unique<Process>(world, *this, ledger_);
  process->role.start();
  tick(++starts_);
}

// By number: another process may live where one that was killed did.
void Node::tick(std::uint64_t of) {
  if (process == nullptr || of != starts_) return;
  process->tick();
  world.after(50 + world.ms(200), [this, of] { tick(of); });
}

Position Node::position(const std::string& database) {
  return process->on_writer([&] {
    process->server.flush();
    return process->database(database).stored->position();
  });
}

Contents Node::contents(const std::string& database) {
  return process->on_writer(
      [&] { return contents_of(process->database(database).stored->database().snapshot()); });
}

}  // namespace tandem::simulation
