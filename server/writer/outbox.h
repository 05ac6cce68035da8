#pragma once

// How commits leave the writer: to the logs, to the backups, and through the gates to the clients.
// Each Outgoing goes out in the order in which it was put in. At the end of a batch each touched
// log is written once; then backups are told, and clients, each thread by its mailbox: a commit
// before the reply to the transaction that made it. If a log cannot be written, its commits of the
// batch are undone and their transactions answer "I/O error". All of a database that comes behind a
// commit whose gate is shut waits behind it.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "server/writer/client_port.h"
#include "server/writer/commit_observer.h"
#include "server/writer/context.h"
#include "server/writer/sync_thread.h"

namespace tandem {

/// Something to publish when its database's log is written.
struct Outgoing {
  ServedDatabase* database = nullptr;  ///< null: tied to no log
  CommitRef commit;                    ///< for all client threads
  std::int64_t logged_us = 0;          ///< when the commit was; monotonic
  std::int64_t logged_ms() const { return logged_us / 1000; }
  /// A commit of a client that has not been in a "wait": how long it takes is the server's doing.
  bool is_timed() const { return commit != nullptr && call != nullptr && call->wait_bytes == 0; }
  std::unique_ptr<TransactCall> call;         ///< its reply
  bool durable = false;                       ///< the reply waits for fdatasync
  std::function<void(Result<void>)> written;  ///< told on the writer what became of the commit
  std::unique_ptr<NewMonitor> monitor;        ///< a monitor that begins:
  std::optional<Result<MonitorStart>> start;  ///< with this, once the log is written
  Mailbox* mailbox = nullptr;                 ///< of `task`
  Task task;

  bool only_reads() const { return monitor || (call && call->only_reads); }
};

/// The writer's.
class Outbox {
 public:
  struct Hooks {
    /// The log of a database could not be written: its commits are out of the rows.
    std::function<void(ServedDatabase&)> taken_back;
    /// Answers the reads that wait behind shut gates. True if some must go on waiting.
    std::function<bool()> answer_past_gates;
  };
  Outbox(WriterContext& context, Syncer& syncer, Hooks hooks);

  // Receivers

  void add_client_thread(Mailbox& mailbox, ClientThread& thread);
  void add_observer(CommitObserver& observer) { observers_.push_back(&observer); }
  void remove_observer(CommitObserver& observer) { std::erase(observers_, &observer); }
  /// Sees to what mailboxes have for the threads: Mailbox::deliver(), Mailbox::flush().
  void deliver(bool own);
  void hand_over();
  /// That of a client thread; the other one if there is none.
  TaskRunner& runner_or(TaskRunner& other) const;

  // Sending

  /// A commit makes those due that wait for its tables.
  void put(Outgoing outgoing);
  /// Runs on the mailbox's thread after everything that was published before.
  void reply(Mailbox& mailbox, Task task);
  /// All client threads are told in their turn that the role has changed.
  void tell_role_change();
  /// Observers are told now.
  void tell_databases_changed();
  /// Writes the logs and publishes what the gates let pass.
  void flush();
  /// Publishes what waits, whoever has acknowledged it: the database goes, or becomes a backup.
  /// Transactions are answered with the error, if there is one.
  void release(ServedDatabase& database, const Error* refused);

  // Waiting for gates

  /// Replies and updates of the database that do.
  std::size_t waiting(const ServedDatabase& database) const;
  /// For how long the oldest of them has.
  std::int64_t waiting_ms(const ServedDatabase& database) const;
  /// Answers reads that have waited for too long.
  void look_past_gates();
  /// When flush() or look_past_gates() has to do something again.
  std::optional<std::int64_t> next_deadline_ms() const;

  // For reads of what is published

  /// All that nobody has been told of: of each database, the oldest first.
  template <class Look>
  void for_each_unpublished(const Look& look) const {
    for (const auto& [database, queue] : waiting_)
      for (const Outgoing& outgoing : queue) look(outgoing);
    for (const Outgoing& outgoing : writing_) look(outgoing);
  }
  /// What is being written to the logs; its reads may be taken out and answered.
  std::vector<Outgoing>& being_logged() { return writing_; }
  /// Removes those reads from the queues of the gates that `take` takes. True if some are left.
  bool take_reads(const std::function<bool(Outgoing&)>& take);

 private:
  struct ClientThreadPort {
    Mailbox* mailbox;
    ClientThread* thread;
  };
  /// A reply that waits for the log to be on the disk.
  struct DurableReply {
    std::shared_ptr<storage::LogFile> log;
    std::unique_ptr<TransactCall> call;
    WriteRightRef right;         ///< null: it wrote nothing
    DatabaseFiguresRef figures;  ///< null: its time is not counted
  };

  /// Tells observers and client threads which databases there are.
  void tell_directory();
  /// Writes what is staged. Returns the databases whose log could not be written.
  std::map<ServedDatabase*, Error> write_logs();
  /// The log was written, or not: backups and observers are told, and who waits for the log.
  void logged(Outgoing& outgoing, const Error* failure, std::int64_t now_us);
  void publish(Outgoing& outgoing, std::int64_t now_us);
  /// Counts a client's transaction that is about to be answered.
  static void count(const Outgoing& outgoing, std::int64_t now_us);
  bool gate_is_open(const Outgoing& outgoing, std::int64_t now_us);
  /// Publishes what the gates let pass now.
  void publish_waiting();
  /// A read waits for the gate of a commit that was logged then.
  void look_past_gates_at(std::int64_t logged_ms);
  void sync_and_reply(DurableReply reply);

  WriterContext& context_;
  const Clock& clock_;
  Catalogue& catalogue_;
  Syncer& syncer_;
  Hooks hooks_;
  std::vector<ClientThreadPort> threads_;
  std::vector<CommitObserver*> observers_;
  std::vector<Outgoing> outgoing_;
  std::vector<Outgoing> writing_;  ///< what it was when the logs began to be written
  std::vector<DurableReply> durable_replies_;
  std::map<const ServedDatabase*, std::deque<Outgoing>, ServedByName>
      waiting_;                                // for gates; no queue is empty
  std::optional<std::int64_t> past_gates_ms_;  ///< when reads behind gates are to be answered
  std::int64_t looked_past_gates_ms_ = 0;      ///< end of the pause after the last time
};

}  // namespace tandem
