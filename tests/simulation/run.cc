#include "tests/simulation/run.h"

#include <fmt/core.h>

#include <algorithm>

#include "protocol/json/json_reader.h"
#include "tests/simulation/client_call.h"

namespace tandem::simulation {

Run::Run(std::uint64_t seed, const Guards& guards)
    : world_(seed),
      scenario_(Scenario::drawn_from(world_)),
      one_at_a_time_(world_.chance(60)),
      manager_(world_, scenario_, nodes_, ledger_) {
  for (std::size_t i = 0; i < scenario_.servers; ++i) {
    nodes_.push_back(std::make_unique<Node>(world_, scenario_, ledger_, i));
    nodes_.back()->guards = guards;
  }
}

std::vector<std::string> Run::run() {
  for (const auto& node : nodes_) node->start();
  relays_.resize(scenario_.relays);
  for (std::size_t i = 0; i < relays_.size(); ++i) start_relay(i);
  if (!relays_.empty()) tick_relays();
  manager_.begin();
  write();
  fault();
  compare();
  world_.run_until(kFaultsMs);
  come_to_rest();
  for (int i = 0; i < 300 && !(i > 10 && settled()); ++i) world_.run_until(world_.now_ms() + 200);
  check();
  return broken_;
}

std::size_t Run::acknowledged() const {
  std::size_t count = 0;
  for (const auto& [database, writes] : ledger_.databases) {
    for (const auto& [number, write] : writes) count += write.acknowledged ? 1 : 0;
  }
  return count;
}

bool Run::all_up() const {
  return std::all_of(nodes_.begin(), nodes_.end(), [](const auto& n) { return n->is_up(); });
}

bool Run::may_befall(const Node& node) const {
  if (!one_at_a_time_) return true;
  return std::all_of(nodes_.begin(), nodes_.end(), [&node](const auto& other) {
    return other.get() == &node || (other->is_up() && !other->hanging.hangs());
  });
}

// --- clients ---

void Run::write() {
  if (quiet_) return;
  world_.after(1 + world_.ms(60), [this] { write(); });
  for (const auto& node : nodes_) {
    if (node->is_active() || (scenario_.forwards && node->is_up() && world_.chance(30)))
      submit(*node, some_database());
  }
  for (const auto& relay : relays_)
    if (world_.chance(30)) submit(*relay);
}

std::string Run::operation(const std::string& database, std::int64_t number) {
  Ledger::Writes& writes = ledger_.databases[database];
  const auto where = [&] {
    auto some = writes.lower_bound(static_cast<std::int64_t>(
        world_.random(static_cast<std::uint64_t>(ledger_.last_number) + 1)));
    if (some == writes.end()) some = writes.begin();
    return std::pair(some, fmt::format(R"("where":[["n","==",{}]])", some->first));
  };
  if (!writes.empty()) {
    switch (world_.random(10)) {
      case 0:
        return fmt::format(R"({{"op":"update","table":"t","where":[],"row":{{"s":"{}"}}}})",
                           number);
      case 1: {
        const auto [some, condition] = where();
        some->second.deleted = true;
        return R"({"op":"delete","table":"t",)" + condition + '}';
      }
      case 2:
        return R"({"op":"mutate","table":"t",)" + where().second +
               R"(,"mutations":[["v","+=",1]]})";
      default:
        break;
    }
  }
  writes[number];
  return fmt::format(R"({{"op":"insert","table":"t","row":{{"s":"new","n":{}}}}})", number);
}

std::unique_ptr<ClientCall> Run::write_at(const std::string& server, const std::string& database,
                                          std::function<bool(std::int64_t number)> has) {
  const std::int64_t number = ++ledger_.last_number;
  const bool durable = world_.chance(30);
  std::string operations = operation(database, number);
  if (durable) operations += R"(,{"op":"commit","durable":true})";
  auto call = std::make_unique<ClientCall>();
  call->session = SessionId{1'000'000 + static_cast<std::uint64_t>(number)};
  call->database = database;
  call->request = parse_json("[\"" + database + "\"," + operations + "]").value();
  call->params = call->request;
  call->succeeded = [this, server, database, number, durable,
                     has = std::move(has)](bool elsewhere) {
    Ledger::Writes& writes = ledger_.databases[database];
    const auto write = writes.find(number);
    if (write == writes.end()) return;
    if (elsewhere) ++forwarded_;
    if (elsewhere && !write->second.deleted && !has(number))
      broken(fmt::format("write {} of {} is answered at {}, and is not there", number, database,
                         server));
    write->second.acknowledged = true;
    write->second.durable = durable;
  };
  return call;
}

void Run::submit(Node& node, const std::string& database) {
  auto call = write_at(node.name, database, [&node, database](std::int64_t number) {
    return node.process->waits_for_disk() || node.holds(database, number);
  });
  Process& process = *node.process;
  call->mailbox = &process.hub->mailbox();
  process.server.submit(
      [&process, call = std::move(call)]() mutable { process.server.transact(std::move(call)); },
      process.shard);
}

void Run::submit(RelayServer& relay) {
  relay.submit(write_at("a relay", scenario_.databases.front(),
                        [&relay](std::int64_t number) { return relay.holds(number); }));
}

// --- relays ---

void Run::start_relay(std::size_t index) {
  relays_[index].reset();
  relays_[index] = std::make_unique<RelayServer>(world_, fmt::format("relay {}", index),
                                                 scenario_.databases.front(), nodes_);
}

void Run::tick_relays() {
  world_.after(50 + world_.ms(200), [this] { tick_relays(); });
  for (const auto& relay : relays_) relay->tick();
}

// --- promises ---

/// Equal digests mean equal contents, at any time.
void Run::compare() {
  if (quiet_) return;
  world_.after(300, [this] { compare(); });
  for (const std::string& database : scenario_.databases) {
    std::map<Uuid, std::pair<Node*, Contents>> seen;
    for (const auto& node : nodes_) {
      if (!node->is_up()) continue;
      const Uuid digest = node->position(database).digest;
      Contents contents = node->contents(database);
      const auto [first, is_new] = seen.try_emplace(digest, node.get(), contents);
      if (!is_new && first->second.second != contents)
        broken(fmt::format("{} of {} and {} differ at one digest", database,
                           first->second.first->name, node->name));
    }
  }
}

void Run::come_to_rest() {
  quiet_ = true;
  for (const auto& node : nodes_) {
    node->disk.heal_all();
    node->disk.set_capacity(UINT64_MAX);
    node->hanging.answer();
    // A log that could not be synced takes no more, until the server starts anew.
    const bool stopped = node->is_up() && node->process->look([&] {
      return std::any_of(scenario_.databases.begin(), scenario_.databases.end(),
                         [&](const std::string& database) {
                           return node->process->database(database).stored->log()->health().stopped;
                         });
    });
    if (stopped) {
      manager_.before_loss(*node);
      node->kill();
    }
    if (!node->is_up()) node->start();
  }
  manager_.settle();
}

bool Run::converged() {
  Node* active = manager_.active();
  if (active == nullptr || !all_up()) return false;
  // By the monitor form nobody can tell that a damaged file has got back all.
  if (std::any_of(nodes_.begin(), nodes_.end(),
                  [](const auto& n) { return n->is_damaged() && !n->is_plain(); }))
    return false;
  for (const std::string& database : scenario_.databases) {
    // A transaction that a backup has forwarded may come late.
    Process& there = *active->process;
    if (there.look([&] { return there.server.waiting(there.database(database)); }) > 0)
      return false;
    const Contents held = active->contents(database);
    if (database == scenario_.databases.front() &&
        std::any_of(relays_.begin(), relays_.end(),
                    [&](const auto& relay) { return relay->contents() != held; }))
      return false;
    for (const auto& node : nodes_) {
      if (node.get() == active) continue;
      const auto followers = node->process->followers();
      const auto follower = followers.find(database);
      if (follower == followers.end() ||
          follower->second.state != FollowerStatus::State::kReplicating)
        return false;
      if (node->is_plain() || active->is_plain()
              ? node->contents(database) != held
              : node->position(database) != active->position(database))
        return false;
    }
  }
  return true;
}

/// Converged, and what was published has reached the readers.
bool Run::settled() {
  if (!converged()) return false;
  world_.run_until(world_.now_ms() + 50);
  return converged();
}

void Run::check() {
  if (!manager_.complaint().empty()) broken(manager_.complaint());
  if (!converged()) {
    broken("not converged");
    for (const auto& node : nodes_) {
      for (const auto& [database, follower] : node->process->followers())
        broken(fmt::format("  {} of {}: {} {} at {}", database, node->name,
                           to_string(follower.state), follower.error,
                           node->position(database).to_string()));
    }
    for (const auto& relay : relays_)
      broken(fmt::format("  a relay: {} {}, {} rows", to_string(relay->status().state),
                         relay->status().error, relay->contents().size()));
    return;
  }
  for (const std::string& database : scenario_.databases) {
    const Contents held = manager_.active()->contents(database);
    for (const auto& node : nodes_) {
      if (node->contents(database) != held)
        broken(fmt::format("{} of {} is not as the active's", database, node->name));
      if (node->process->reader.view(database) != held)
        broken(fmt::format("a reader of {} at {} was told something else", database, node->name));
    }
    check_writes(database, held);
  }
}

void Run::check_writes(const std::string& database, const Contents& held) {
  const bool is_first = database == scenario_.databases.front();
  const bool is_strict = scenario_.is_strict() && (is_first || !manager_.had_to_choose());
  for (const auto& [number, write] : ledger_.databases[database]) {
    if (write.deleted || held.contains(number)) continue;
    if (!write.acknowledged && !write.published) continue;
    // Nobody was promised that it would survive a power failure.
    if (scenario_.power_fails && !(write.acknowledged && write.durable)) continue;
    const std::string what = fmt::format(
        "{} {} of {}, {} at index {}", write.durable ? "the durable write" : "write", number,
        database, write.acknowledged ? "acknowledged" : "published", write.index);
    // Without a gate what is damaged may have been the only copy.
    if (!is_strict && damages_ > 0) continue;
    if (is_strict) {
      broken(what + ", is lost");
    } else if (write.acknowledged && !scenario_.plain && !is_set_aside(database, number)) {
      broken(what + ", is lost without a trace");
    } else if (!scenario_.has_gate() && !scenario_.manager_errs && one_at_a_time_ &&
               write.acknowledged && !write.shown) {
      broken(what + ", is lost although the status had shown it as replicated");
    }
  }
}

bool Run::is_set_aside(const std::string& database, std::int64_t number) const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [&](const auto& node) { return node->has_set_aside(database, number); });
}

}  // namespace tandem::simulation
