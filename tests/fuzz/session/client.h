#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "server/session/connection_port.h"
#include "tests/fuzz/session/monitor_model.h"

namespace tandem::fuzz {

/// A client with its connection, which is slow or breaks when the script says so, and what the
/// client may rely on: each request is answered once, monitors tell what is, nothing comes of what
/// it has not asked for. On one shard. Destroyed only when its connection has ended.
class Client final : private ConnectionPort {
 public:
  using Model = std::shared_ptr<MonitorModel>;

  Client(Shard& shard, const HandlerFactory& make_handler, ConnectionInfo info);
  ~Client() override;

  bool is_closed() const { return state_ == State::kClosed; }
  bool is_open() const { return state_ == State::kOpen; }
  const std::string& last_id() const { return last_id_; }
  /// The id of its last transaction; null: none.
  const JsonId& last_transact() const { return last_transact_; }
  /// The newest position that it was told of as a backup; null: none.
  const Json& streamed() const { return streamed_; }
  /// Has this monitor, or asked for it; null otherwise.
  Model find(const std::string& id) const;

  // What the client does.

  /// With an id of its own, unless another is given. `inserts`: one row into T, and nothing else.
  void transact(const Json& params, const JsonId& repeated_id, bool inserts);
  void monitor(const std::string& id, std::string_view method, const Json& params, Model model);
  void change_conditions(const std::string& id, const std::string& new_id, const Json& params,
                         std::optional<MonitorModel::Condition> condition);
  void cancel_monitor(const std::string& id);
  /// Any other request.
  void request(std::string_view method, const Json& params);
  void notify(std::string_view method, const Json& params);
  void send_answer();
  /// Takes nothing from its socket from now on, or does again.
  void set_slow(bool slow);
  /// Takes some of what waits.
  void take(std::size_t texts);
  void disconnect();

  /// All is quiet: nothing is owed, and each monitor's table is as `snapshot_of` has it.
  template <class F>  // const Snapshot*(const MonitorModel&): null if the database went
  void check(F&& snapshot_of) const {
    check_answered();
    for (const auto& [id, model] : monitors_) {
      if (unclear_.contains(id)) continue;
      if (const auto snapshot = snapshot_of(*model)) model->check(*snapshot);
    }
  }
  /// How many monitors it has, if that is clear.
  std::optional<std::size_t> monitors() const;
  /// Asks for an end of what may wait for good.
  void cancel_transactions();

 private:
  enum class State : std::uint8_t { kOpen, kClosing, kClosed };
  enum class Asked : std::uint8_t { kOther, kTransact, kMonitor, kChange, kCancel };
  struct Request {
    Asked asked = Asked::kOther;
    int answers = 1;  ///< that are owed
    std::string monitor, new_id;
    std::string database;  ///< into which one row is inserted
    Model model;
    std::optional<MonitorModel::Condition> condition;
  };
  struct Outgoing {
    SharedText text;
    std::unique_ptr<TextSource> source;
  };

  // ConnectionPort
  void send(SharedText text) override;
  void send(std::unique_ptr<TextSource> source) override;
  std::size_t queued_bytes() const override;
  bool is_behind() const override { return behind_ || over_high_mark_; }
  void set_reading(bool enabled) override;
  void close(std::string reason) override;
  void end_input(std::string reason) override;
  void close_when_sent() override;
  void challenge() override {
    shard_.post([this] {
      if (is_open()) handler_->on_alive();
    });
  }
  const ConnectionInfo& info() const override { return info_; }
  Shard& shard() override { return shard_; }

  JsonId next_id() { return JsonId(next_id_++); }
  void ask(const JsonId& id, std::string_view method, const Json& params, Request request);
  void push(const std::string& text);
  void schedule();
  /// What the connection does when its shard has time: writes, then reads.
  void work();
  void write(std::size_t texts);
  void read();
  void close_if_sent();
  void finish();

  /// With TANDEM_TRACE in the environment the conversation is shown, to read what was found.
  void trace(const char* direction, const std::string& text) const;

  void received(const std::string& bytes);
  void on_reply(const Json& message);
  void on_result(const Request& request, const Json& result);
  void on_inserted(const std::string& database, const Json& results) const;
  void on_notification(const Json& message);
  void on_update(const std::string& method, const Json& params);
  void rename(const Request& request);
  bool is_pending(const std::string& id) const;
  void check_answered() const;

  Shard& shard_;
  const ConnectionInfo info_;
  State state_ = State::kOpen;
  std::unique_ptr<ConnectionHandler> handler_;

  // The connection.
  std::deque<JsonRpcMessage> inbox_;
  std::deque<Outgoing> queue_;
  bool reading_ = true;
  bool slow_ = false;
  bool behind_ = false;
  bool over_high_mark_ = false;
  bool scheduled_ = false;
  bool input_ended_ = false;
  bool closes_when_sent_ = false;
  std::string text_;  ///< of a message that comes in pieces
  unsigned pushed_ = 0;

  // The client.
  std::int64_t next_id_ = 1;
  std::map<std::string, Request> owed_;  ///< by the request's id, as text
  std::map<std::string, Model> monitors_;
  /// Ids under which the client has asked for two things at once, so that it cannot tell of which
  /// it hears.
  std::set<std::string> unclear_;
  bool asked_oddly_ = false;  ///< perhaps for monitors
  std::string last_id_ = "00000000-0000-0000-0000-000000000000";
  JsonId last_transact_;
  Json streamed_;
};

}  // namespace tandem::fuzz
