#pragma once

// Everything the writer owns, and the jobs that reach it: the databases (catalogue.h), clients'
// transactions (transactions.h) and locks, what leaves the writer (outbox.h), and what "_Server"
// shows (server_rows.h). Jobs come in through submit(); within a batch of jobs transactions execute
// one after the other in memory; the batch's end brings what they have done to the logs and to the
// clients.
//
// Backups are sent a commit as soon as it is in the log. With --sync-replicas clients are told of
// it only when the database's gate opens; all that is published of the database after it waits
// behind it, so nobody sees what is not acknowledged. Reads wait for a moment only (stand_in.h).

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replication/stream.h"
#include "server/database/stored_database.h"
#include "server/storage/compaction.h"
#include "server/writer/catalogue.h"
#include "server/writer/client_port.h"
#include "server/writer/commit_observer.h"
#include "server/writer/context.h"
#include "server/writer/fair_turns.h"
#include "server/writer/outbox.h"
#include "server/writer/server_rows.h"
#include "server/writer/sync_thread.h"
#include "server/writer/transactions.h"
#include "server/writer/writer.h"

namespace tandem {

class DatabaseServer {
 public:
  struct Ports {
    const Clock& clock;
    storage::FileSystem& files;
    Syncer& syncer;          ///< fdatasync off the writer
    TaskRunner& background;  ///< for long work: compaction
    std::function<void(std::int64_t monotonic_ms)>
        wake_at;  ///< calls submit(tick) then; later calls replace earlier ones
  };
  explicit DatabaseServer(Ports ports);
  ~DatabaseServer();

  /// Before the first submit().
  void add_client_thread(Mailbox& mailbox, ClientThread& thread) {
    outbox_.add_client_thread(mailbox, thread);
  }

  /// Runs a job on the writer; everything below is for such jobs only. Thread-safe. `runner` is the
  /// caller's own thread.
  void submit(Task job, TaskRunner& runner) { writer_.submit(std::move(job), runner); }
  /// The same for a job of a session, which must not make others wait: jobs of one lane run in
  /// order, but once they have taken a turn's time, those of others come first. One that only reads
  /// (start_monitor(), start_feed(), transact() of selects) does not wait for a disk that hangs.
  template <class Job>
  void submit(Job&& job, const LaneRef& lane, bool only_reads = false) {
    writer_.submit(
        [this, lane, job = std::forward<Job>(job)]() mutable {
          if (shows_published_) return job();
          turns_.run(lane, job);
        },
        lane->runner(), Writer::Origin{lane->session(), only_reads});
  }
  /// Writer::look(). `runner` never waits for a disk.
  bool look(TaskRunner& runner) { return writer_.look(runner); }

  /// The same, and returns when the job has run. For the control thread.
  void call(Task job, TaskRunner& runner) { writer_.call(std::move(job), runner); }

  // Databases

  /// Serves a database. Error "duplicate database name" when one of that name is served.
  Result<void> add(std::unique_ptr<StoredDatabase> stored);
  /// Errors with the texts of ovsdb-server/remove-db.
  Result<void> remove(std::string_view name);
  ServedDatabase* find(std::string_view name) const { return catalogue_.find(name); }
  const Catalogue::Databases& databases() const { return catalogue_.databases(); }
  const DirectoryRef& directory() const { return catalogue_.directory(); }
  /// Makes a database a backup or active; transactions in flight of a new backup are refused. One
  /// whose file is damaged stays a backup.
  void set_backup(ServedDatabase& database, bool backup);
  /// Are all databases copies of another server's, the built-in one aside?
  bool is_backup() const;
  /// From this monotonic time on nothing is writable, whatever the role; nothing: never.
  void set_write_deadline(std::optional<std::int64_t> at_ms);
  /// What "_Server" shows from now on.
  void set_advertised_role(AdvertisedRole role) { server_rows_.set_advertised_role(role); }
  /// So many more (or fewer) other servers are known to be active. Thread-safe.
  void count_active(int change) { server_rows_.count_active(change); }
  enum class IfDamaged : std::uint8_t {
    kRefuse,
    kGiveUp,  ///< goes on without what is behind the damage of the file
  };
  /// An error if its file is damaged, and that is not given up.
  static Result<void> may_promote(const ServedDatabase& database, IfDamaged if_damaged);
  /// Makes a backup active: writes the first record of a new epoch, the next after its own and
  /// after `above`; then clients may write. On failure it stays a backup.
  Result<void> promote(ServedDatabase& database, std::optional<Epoch> above = {},
                       IfDamaged if_damaged = IfDamaged::kRefuse);
  /// The file of a damaged database has again all that it had: storage::LogFile::mend(). After
  /// flush().
  Result<void> mend(ServedDatabase& database);
  /// Databases that could not be written are well again if they can: LogFile::look_again().
  void look_at_failing_logs();
  /// Rewrites the file as schema and one snapshot, transactions going on meanwhile; while that is
  /// under way, waits for its end. `done` runs on the writer.
  void compact(ServedDatabase& database, std::function<void(const Result<void>&)> done);
  /// ovsdb-server(7) "convert": rows move to the new schema, the file is written anew. Not during a
  /// compaction.
  Result<void> convert(ServedDatabase& database, const SchemaRef& schema);

  // Relays

  /// Serves a copy of another server's database, which is not available before it has contents.
  /// What may write goes to `forwarder`.
  Result<void> add_relay(const std::string& name, std::shared_ptr<Forwarder> forwarder);
  /// Other contents, perhaps of another schema, take the place of a relay's: see
  /// StoredDatabase::replace().
  void replace_relayed(ServedDatabase& database, std::unique_ptr<Database> rows, const Uuid& id);
  /// Commits changes of a relay's source, as replicate() does.
  void relay(ServedDatabase& database, std::vector<RowChange> changes, const Uuid& id,
             std::function<void(Result<void>)> written);
  /// Whether a relay is in contact with its source, as "_Server" shows it.
  void set_connected(ServedDatabase& database, bool connected);
  /// Is what may write executed now, here or by a server that this one knows of?
  bool takes_writes(const ServedDatabase& database) const;

  // Clients

  void set_wait_limits(const WaitLimits& limits) { transactions_.set_wait_limits(limits); }
  void transact(std::unique_ptr<TransactCall> call);
  /// Answers what a Forwarder had taken, behind all that was published before.
  void answer(std::unique_ptr<TransactCall> call) { transactions_.answer(std::move(call)); }
  /// Executes here what a Forwarder had taken and did not hand on.
  void take_back(std::unique_ptr<TransactCall> call) { transactions_.take_back(std::move(call)); }
  /// Hands what may write to `forwarder` as long as the database is a backup.
  void set_forwarder(ServedDatabase& database, std::shared_ptr<Forwarder> forwarder);
  /// RFC 7047 section 4.1.4.
  void cancel(SessionId session, const JsonId& id) { transactions_.cancel(session, id); }
  /// Starts a monitor: `started` runs on the mailbox's thread, between the commits that the
  /// snapshot holds and those that it does not.
  void start_monitor(std::unique_ptr<NewMonitor> monitor);
  /// Runs on the mailbox's thread after everything that was published before.
  void reply(Mailbox& mailbox, Task task) { outbox_.reply(mailbox, std::move(task)); }

  /// Tells a session that a lock became its own, or was stolen from it; on its mailbox's thread.
  using LockNotify = std::function<void(const std::string& lock, bool stolen)>;
  /// Makes the session known to the lock table's notices.
  void open_session(SessionId session, Mailbox& mailbox, LockNotify notify);
  /// Drops the jobs that the session's lane keeps.
  void close_session(SessionId session, Lane& lane);
  /// Nothing when the session has or awaits the lock already.
  std::optional<bool> lock(SessionId session, const std::string& name, LockTable::Mode mode);
  /// False when the session neither has nor awaits it.
  bool unlock(SessionId session, const std::string& name);

  // Backups that follow this server

  /// Commits of all databases, those added later too, wait for acknowledgements.
  void set_sync(const CommitGate::Options& options);
  struct NewFeed {
    std::string database;
    SessionId session;
    FollowRequest request;
    std::string address;  ///< of the connection
    Mailbox* mailbox;
    FeedListener listener;
    std::function<void(Result<FeedStart>)> started;
  };
  /// Makes the session a follower of a database, anew if it was one: `started` runs on the
  /// mailbox's thread, before the first `deliver`, and between the commits that it holds and those
  /// that are delivered. If all places are taken another one may have to give way
  /// (replication/follower_places.h). Errors: "unknown database", "not allowed",
  /// "resources exhausted".
  void start_feed(std::unique_ptr<NewFeed> feed);
  /// The session follows nothing any more.
  void stop_feeds(SessionId session);
  /// The session has written everything up to a position. Returns the database's newest; an error
  /// if a follower says so of what it cannot have got from here.
  Result<Position> acknowledge(std::string_view database, SessionId session,
                               const Position& position);
  /// The session has answered a challenge.
  void alive(SessionId session);
  /// The session follows a database, and has acknowledged a position of its present epoch.
  bool may_depose(SessionId session) const;
  /// For long work on snapshots.
  TaskRunner& background() { return ports_.background; }

  // The server itself

  /// Executes a transaction of the server's own (status columns, "_Server"), not refused by
  /// read-only. `operations` as in RFC 7047, without the database's name.
  TransactResult transact_internal(ServedDatabase& database, std::string_view operations) {
    return transactions_.execute_internal(database, operations);
  }
  /// Commits changes that the active should have checked (Database::take_over). `written` runs on
  /// the writer once they are in the log, or are taken back.
  void replicate(ServedDatabase& database, std::vector<RowChange> changes,
                 Database::References references, std::function<void(Result<void>)> written);
  /// The same with the active's own record. Error "diverged": StoredDatabase::stage_record().
  void replicate(ServedDatabase& database, const StreamRecord& record,
                 std::function<void(Result<void>)> written);
  /// The same for a resync: after it the database stands there, even if nothing changes.
  void replicate(ServedDatabase& database, std::vector<RowChange> changes, const Standing& standing,
                 std::function<void(Result<void>)> written);
  /// Brings what was written to the log to the disk; `done` runs on any thread.
  void make_durable(ServedDatabase& database, Syncer::Done done) {
    ports_.syncer.sync(database.stored->log(), std::move(done));
  }
  /// Replies and updates of the database that wait for acknowledgements.
  std::size_t waiting(const ServedDatabase& database) const { return outbox_.waiting(database); }
  /// For how long the oldest of them has waited.
  std::int64_t waiting_ms(const ServedDatabase& database) const {
    return outbox_.waiting_ms(database);
  }
  /// memory-trim-on-compaction: gives free memory back to the system after a compaction.
  void set_trim_on_compaction(bool enabled) { trim_on_compaction_ = enabled; }
  void add_observer(CommitObserver& observer) { outbox_.add_observer(observer); }
  void remove_observer(CommitObserver& observer) { outbox_.remove_observer(observer); }
  /// Ends waits that have timed out.
  void tick();
  /// Writes the logs and publishes now, so that what follows sees no half-done batch.
  void flush() { outbox_.flush(); }
  const Uuid& server_id() const { return server_id_; }
  const Clock& clock() const { return ports_.clock; }
  storage::FileSystem& files() { return ports_.files; }

 private:
  class StandIn;

  /// Sends a commit of the active on its way, or tells of the error in its turn.
  void replicate(ServedDatabase& database, Result<CommitRef> commit,
                 std::function<void(Result<void>)> written);
  /// The writer ends a batch.
  void end_batch();
  /// A feed's start, from the present rows and log, which must show the same.
  Result<FeedStart> start_of(const NewFeed& feed);
  void start(std::unique_ptr<NewMonitor> monitor);
  void tell(const std::vector<LockTable::Notice>& notices);
  void schedule_wake();
  void end_compaction(const DatabaseInfoRef& info, std::unique_ptr<storage::Compaction> compaction,
                      Result<void> written, const std::function<void(const Result<void>&)>& done);

  struct SessionPort {
    Mailbox* mailbox;
    LockNotify notify;
  };

  Ports ports_;
  std::unique_ptr<StandIn> stand_in_;
  bool shows_published_ = false;  ///< stand_in_ has taken all else out of the rows
  Writer writer_;
  FairTurns turns_;
  bool turn_posted_ = false;  ///< a job runs the turn of a lane that waits
  const Uuid server_id_ = Uuid::random();
  Catalogue catalogue_;
  LockTable locks_;
  std::map<SessionId, SessionPort> sessions_;
  WriterContext context_;
  Outbox outbox_;
  Transactions transactions_;
  ServerRows server_rows_;
  CommitGate::Options sync_;
  std::optional<std::int64_t> write_deadline_ms_;
  bool trim_on_compaction_ = false;
};

}  // namespace tandem
