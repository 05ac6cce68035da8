#include "tests/fuzz/session/play.h"

#include <array>
#include <cerrno>
#include <string_view>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/session/requests.h"

namespace tandem::fuzz {
namespace {

constexpr std::size_t kClients = 4;

std::string monitor_id(unsigned choice) {
  return std::string(1, static_cast<char>('A' + choice % 2));
}

std::string database_of(unsigned choice) {
  static const std::array<std::string, 4> names{"D0", "D1", "D0", "_Server"};
  return names[choice % 4];
}

template <class Value>
Json value_of(const Value& value) {
  return read_json(to_text(value)).value();
}

CommitGate::Options gate_of(unsigned choice) {
  CommitGate::Options gate;
  gate.replicas = choice % 4 == 3 ? 2 : choice % 2;
  gate.timeout_ms = 100;
  gate.fallback = choice & 4U ? CommitGate::Fallback::kAsync : CommitGate::Fallback::kBlock;
  return gate;
}

}  // namespace

Play::Play(const Command& setting)
    : stage_(gate_of(setting.a), setting.b & 1U ? 300 : std::size_t{1} << 20),
      checks_log_(setting.b % 8 >= 6) {
  for (std::size_t i = 0; i < kClients; ++i) clients_.push_back(connect(i, setting.c >> 2U * i));
}

Play::~Play() = default;

/// Places 0 and 1 are on the first shard, 2 and 3 on the second.
std::unique_ptr<Client> Play::connect(std::size_t place, unsigned kind) {
  const std::size_t shard = place * Stage::kShards / kClients;
  ConnectionInfo info;
  info.name = "client " + std::to_string(place);
  info.read_only = kind % 8 == 5;
  if (kind % 8 == 6) info.role = "role", info.peer_id = "peer";
  auto client = std::make_unique<Client>(
      stage_.shard(shard),
      [&hub = stage_.hub(shard)](ConnectionPort& port) { return hub.make_session(port); },
      std::move(info));
  if (kind % 2 == 0) client->request("set_db_change_aware", Json::array({true}));
  return client;
}

/// Of the command's place; a new one, if that one's connection ends.
Client& Play::client(const Command& command) {
  const std::size_t place = command.client % kClients;
  std::unique_ptr<Client>& client = clients_[place];
  if (!client->is_open()) {
    gone_.push_back(std::move(client));
    client = connect(place, command.client / kClients);
  }
  return *client;
}

void Play::act(const Command& command) {
  switch (command.op % 32) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5: {
      Json params = Json::array({Stage::database_name(command.client / kClients)});
      for (const Json& operation : operations_of(command)) params.push_back(operation);
      Client& asking = client(command);
      asking.transact(params, command.d >= 250 ? asking.last_transact() : JsonId(),
                      command.a % 24 < 3 && command.d % 4 == 0);
      break;
    }
    case 6:
    case 7:
    case 8:
    case 9:
      monitor(client(command), command);
      break;
    case 10:
    case 11:
      change_conditions(client(command), command);
      break;
    case 12:
    case 13:
      client(command).cancel_monitor(monitor_id(command.a));
      break;
    case 14:
      client(command).notify("cancel",
                             read_json("[" + client(command).last_transact().text() + "]").value());
      break;
    case 15:
      lock(client(command), command);
      break;
    case 16:
    case 17:
      follow(client(command), command);
      break;
    case 18:
    case 19:
      acknowledge(client(command), command);
      break;
    case 20:
      client(command).notify("tandem_depose", Json::array());
      break;
    case 21:
      client(command).set_slow(command.a % 2 == 0);
      break;
    case 22:
      client(command).take(command.a % 4);
      break;
    case 23:
    case 24:
      client(command).disconnect();
      break;
    case 25:
      client(command).request(
          "convert", Json::array({Stage::database_name(command.a),
                                  read_json(Stage::schema_text(command.a, command.b)).value()}));
      break;
    case 26:
      stage_.advance(command.a * 4);
      break;
    case 27:
      change_role(command);
      break;
    case 28:
      fail_disk(command);
      break;
    case 29:
      ask_oddly(client(command), command);
      break;
    case 30:
    default:
      control(command);
      break;
  }
  if (!command.leaves_tasks) stage_.run();
  std::erase_if(gone_, [](const auto& client) { return client->is_closed(); });
}

void Play::monitor(Client& client, const Command& command) {
  static constexpr std::array<std::string_view, 3> methods{"monitor", "monitor_cond",
                                                           "monitor_cond_since"};
  const unsigned version = command.b % 3;
  auto model = std::make_shared<MonitorModel>();
  model->database = database_of(command.a / 2);
  model->version = static_cast<MonitorModel::Version>(version);
  if (model->database == "_Server") {
    model->table = "Database";
    model->columns = {"name", "connected", "leader"};
  } else {
    model->table = "T";
    model->columns = {"n", "s", "tags"};
    if (command.b & 64U) model->columns.emplace_back("m");
    if (command.b & 128U) model->columns = {"n", "tags"};  // there in all schemas
  }
  model->followed = command.d % 16 != 15;
  if (version > 0) model->condition = condition_of(*model, command.c);
  if (command.b & 128U && model->table == "T") {
    std::erase_if(model->condition.any_of, [](const auto& clause) { return clause.column == "s"; });
  }
  Json params = Json::array(
      {model->database, monitor_id(command.a), monitor_requests_of(*model, command.d / 16)});
  if (version == 2)
    params.emplace_back(command.b & 8U ? client.last_id() : Uuid{1, command.b}.to_string());
  client.monitor(monitor_id(command.a), methods[version], params, std::move(model));
}

void Play::change_conditions(Client& client, const Command& command) {
  const std::string id = monitor_id(command.a);
  const std::string new_id = command.b % 8 == 7 ? monitor_id(command.b / 8) : id;
  const auto model = client.find(id);
  if (model == nullptr) {
    client.request("monitor_cond_change", Json::array({id, new_id, {{"T", Json::array()}}}));
    return;
  }
  auto condition = condition_of(*model, command.c);
  std::erase_if(condition.any_of, [&](const auto& clause) {
    return clause.column == "s" && model->columns.size() == 2;
  });
  Json changes;
  changes[model->table][0]["where"] = condition.to_json();
  client.change_conditions(id, new_id, Json::array({id, new_id, changes}), condition);
}

void Play::lock(Client& client, const Command& command) {
  static constexpr std::array<std::string_view, 3> methods{"lock", "steal", "unlock"};
  client.request(methods[command.a % 3], Json::array({"L" + std::to_string(command.b % 3)}));
}

void Play::follow(Client& client, const Command& command) {
  const std::string& database = Stage::database_name(command.a);
  Position position = stage_.position(database);
  if (command.b % 4 == 1) position.digest = Uuid{1, command.b};
  if (command.b % 4 == 2) position = Position{Epoch{command.c}, command.d, Uuid{}};
  FollowRequest request;
  request.position = position;
  request.server_id = Uuid{7, command.client};
  if (command.c % 4 != 0) request.name = "host" + std::to_string(command.c % 4);
  request.file = "/db/" + database;
  if (command.b & 4U) {
    request.buckets = "{}";
    request.recent = {position.digest};
  }
  client.request("tandem_follow", Json::array({database, value_of(request)}));
}

void Play::acknowledge(Client& client, const Command& command) {
  const std::string& database = Stage::database_name(command.a);
  Json position = client.streamed();
  if (command.b % 8 == 6) position = value_of(stage_.position(database));
  if (command.b % 8 == 7)
    position = value_of(Position{Epoch{command.c}, command.d, Uuid{1, command.c}});
  if (position.is_null()) position = value_of(stage_.position(database));
  const Json params = Json::array({database, position});
  if (command.b & 8U) {
    client.request("tandem_ack", params);
  } else {
    client.notify("tandem_ack", params);
  }
}

void Play::ask_oddly(Client& client, const Command& command) {
  static constexpr std::array<std::string_view, 18> methods{"convert",
                                                            "get_schema",
                                                            "get_server_id",
                                                            "list_dbs",
                                                            "lock",
                                                            "monitor",
                                                            "monitor_cancel",
                                                            "monitor_cond",
                                                            "monitor_cond_change",
                                                            "monitor_cond_since",
                                                            "set_db_change_aware",
                                                            "steal",
                                                            "tandem_ack",
                                                            "tandem_follow",
                                                            "transact",
                                                            "unlock",
                                                            "unknown",
                                                            "cancel"};
  const std::string_view method = methods[command.a % methods.size()];
  if (command.c % 16 == 15) return client.send_answer();
  if (command.c % 4 == 3) return client.notify(method, odd_params(command.b));
  client.request(method, odd_params(command.b));
}

void Play::change_role(const Command& command) {
  switch (command.a % 4) {
    case 0:
      for (std::size_t i = 0; i < Stage::kDatabases; ++i) stage_.set_backup(i, true);
      return;
    case 1:
      for (std::size_t i = 0; i < Stage::kDatabases; ++i) stage_.promote(i);
      return;
    case 2:
      return stage_.set_backup(command.b, command.c % 2 == 0);
    default:
      return stage_.set_write_deadline(command.b % 2 == 0 ? std::optional<std::int64_t>(command.c)
                                                          : std::nullopt);
  }
}

void Play::fail_disk(const Command& command) {
  using Op = test::FakeFileSystem::Op;
  static constexpr std::array<Op, 8> ops{Op::kWrite,  Op::kWrite,      Op::kSync,     Op::kRename,
                                         Op::kCreate, Op::kSyncFolder, Op::kTruncate, Op::kOpen};
  if (command.a % 4 == 3) return stage_.disk().heal_all();
  const Op op = ops[command.b % ops.size()];
  disk_failed_ = true;
  if (command.a % 4 == 2) {
    stage_.disk().keep_failing(op, ENOSPC, static_cast<int>(command.c % 4));
  } else {
    stage_.disk().fail(op, ENOSPC, static_cast<int>(command.c % 4));
  }
}

void Play::control(const Command& command) {
  switch (command.a % 16) {
    case 0:
    case 1:
    case 2:
      return stage_.compact(command.b);
    case 3:
    case 4:
    case 5:
      return stage_.run_background();
    case 6:
    case 7:
      return stage_.run_syncs();
    case 8:
      return stage_.remove_database(command.b);
    case 9:
    case 10:
      return stage_.add_database(command.b);
    case 11:
    case 12:
    case 13:
      return stage_.set_gate(gate_of(command.b));
    case 14:
      return stage_.run();
    default:
      if (command.b == 77) stage_.disable_conditional_monitors();
      return;
  }
}

void Play::end() {
  stage_.run();
  for (const auto& client : clients_) client->set_slow(false);
  for (const auto& client : gone_) client->set_slow(false);
  stage_.come_to_rest();
  for (const auto& client : clients_) client->cancel_transactions();
  stage_.come_to_rest();
  std::array<std::optional<std::size_t>, Stage::kShards> monitors{0, 0};
  for (std::size_t i = 0; i < kClients; ++i) {
    clients_[i]->check([&](const MonitorModel& model) -> std::optional<Snapshot> {
      const ServedDatabase* database = stage_.database(model.database);
      require(database != nullptr, "monitors end with their databases");
      return database->stored->database().snapshot();
    });
    auto& sum = monitors[i * Stage::kShards / kClients];
    const auto held = clients_[i]->monitors();
    sum = sum && held ? std::optional(*sum + *held) : std::nullopt;
  }
  for (std::size_t i = 0; i < Stage::kShards; ++i) {
    require(!monitors[i] || stage_.hub(i).usage().monitors == *monitors[i],
            "the server has the monitors that its clients have");
  }
  if (checks_log_ && !disk_failed_) {
    for (std::size_t i = 0; i < Stage::kDatabases; ++i) stage_.check_log(i);
  }
  for (const auto& client : clients_) client->disconnect();
  stage_.come_to_rest();
  stage_.check_forgotten();
}

}  // namespace tandem::fuzz
