#pragma once

// One database of a relay and its source, over a connection that somebody above keeps. Sans-IO:
// messages come in as calls, requests go out through RelayLinkPort, contents through RelayCopy.
// Asks in the order in which ovsdb-server's relays do:
//
//   get_schema ["_Server"]
//   monitor_cond ["_Server", ...]                    what the source says of its databases
//   monitor_cond_since [DB, ["monid", DB], ...]      once it has this one, and may be followed
//   set_db_change_aware [true]
//   tandem_path [DB]                                 whether it goes round in a circle
//
// (the last one is Tandem's own, and again each second) and takes each update3 as one commit with
// its id. The source is any server that speaks RFC 7047 with ovsdb-server(7)'s extensions. Tandem's
// own stream (replication/stream.h) is not used: it carries records of a log, which a relay has
// not, and ids as clients know them come with update3.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/jsonrpc.h"
#include "replication/follower_status.h"
#include "server/relay/relay_copy.h"
#include "server/relay/source_row.h"

namespace tandem {

/// What the link asks of the thread that carries it.
class RelayLinkPort {
 public:
  virtual ~RelayLinkPort() = default;
  virtual void send(std::string text) = 0;
  /// Closes the connection; the next one is made to the next source.
  virtual void restart(const std::string& reason) = 0;
  virtual std::int64_t monotonic_ms() const = 0;
  /// The status has changed.
  virtual void changed() = 0;
  /// The copy is what the source has: transactions may be forwarded. May be said again.
  virtual void current() = 0;
  virtual void log_info(const std::string& text) = 0;
};

/// One thread.
class RelayLink {
 public:
  /// `server_id`: of this server. `sources`: how many there are to choose from.
  RelayLink(std::string database, const Uuid& server_id, std::size_t sources, RelayCopy& copy,
            RelayLinkPort& port);

  const FollowerStatus& status() const { return status_; }

  void on_connected(const std::string& source);
  void on_disconnected(const std::string& reason);
  void on_message(const JsonRpcMessage& message);
  /// Several times a second.
  void tick();

 private:
  /// Requests that are not answered yet.
  enum class Asked : std::uint8_t {
    kServerSchema,
    kServerRows,
    kSchema,
    kContents,
    kAware,
    kPath,
    kEcho
  };
  enum class State : std::uint8_t {
    kDisconnected,  ///< no connection
    kIntroduction,  ///< asking what databases the source has
    kWaiting,       ///< the source cannot be followed as it is; it will say when that changes
    kContents,      ///< the contents are coming, or being applied
    kCurrent,       ///< every commit is applied as it comes
    kFailed,        ///< the connection is to be given up
  };

  void request(std::string_view method, std::string_view params, Asked what);
  void on_reply(const JsonRpcMessage& reply);
  void on_notification(const JsonRpcMessage& message);
  /// Looks at what the source says of the database now.
  void look();
  /// Why the source is not to be followed; empty: it is.
  std::string misfit(const std::optional<SourceRow>& row);
  /// The source cannot be followed as it is: another one may be.
  void leave(const std::string& reason);
  void ask_contents(SchemaRef schema);
  void on_contents(const JsonRpcMessage& reply);
  void on_update(JsonView id, JsonView updates);
  void apply(std::vector<RowUpdate> updates, const Uuid& id);
  RelayCopy::Done when_applied(bool contents);
  void enter(State state);
  void note(const std::string& error);
  /// What came cannot be right, or does not fit: the next connection begins with all contents.
  void fail(const std::string& reason);
  /// Clients are told that there is no source.
  void tell_lost();
  /// Follows a leader that is behind what another has shown, when there is no other for long.
  void forget_index();
  void ask_sign();
  void ask_path();
  void on_path(const JsonRpcMessage& reply);
  /// The servers that execute what may write, and whether one does now.
  void set_path(std::vector<Uuid> path, bool read_only);
  /// Transactions may be forwarded when the contents are here, and go round in no circle.
  void become_current();

  const std::string database_;
  const Uuid server_id_;
  const std::size_t sources_;
  RelayCopy& copy_;
  RelayLinkPort& port_;

  FollowerStatus status_;
  State state_ = State::kDisconnected;
  std::string source_;             // connected to
  std::uint64_t attempt_ = 0;      // late outcomes and replies are known by it
  std::int64_t next_request_ = 0;  // ids rise over all connections
  std::map<JsonId, Asked> asked_;
  SourceRows rows_;
  bool since_unknown_ = false;  // the source knows no monitor_cond_since
  bool asked_to_be_aware_ = false;
  bool path_unknown_ = false;  // the source knows no tandem_path
  bool announced_ = false;     // that it is relayed, in this connection
  bool path_seen_ = false;     // in this connection
  std::vector<Uuid> path_;     // as the copy was told
  SchemaRef wanted_;           // of the contents that were asked for
  std::vector<std::pair<std::vector<RowUpdate>, Uuid>>
      waiting_;  // updates that came while the contents were being applied

  // What the copy has:
  SchemaRef schema_;  // null: nothing yet
  Uuid last_id_;
  std::optional<Uuid> cid_;
  std::int64_t index_ = 0;                 // the greatest that a source has told of this cid
  std::optional<std::int64_t> behind_ms_;  // since when no source but leaders below it are found

  bool connected_ = false;                    // clients are told so
  std::optional<std::int64_t> lost_ms_;       // since when there is no source
  std::optional<std::int64_t> no_leader_ms_;  // since when no leader has been found
  std::optional<std::int64_t> followed_ms_;   // since when one is followed that is no leader
  std::optional<std::int64_t> restart_ms_;    // when the connection is to be given up
  int failures_ = 0;                          // in a row
  std::string noted_;                         // the reason that was logged last
  bool asked_sign_ = false;
  std::int64_t asked_sign_ms_ = 0;
};

}  // namespace tandem
