#pragma once

// The active's side of one backup that follows one database. Sans-IO. Records that the connection
// does not take yet wait here, in bounds: one that falls behind further is told that it has lost
// the thread, and asks anew; then the history serves it, or a comparison of rows.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "replication/stream.h"

namespace tandem {

/// The way to the backup.
class FeedPort {
 public:
  virtual ~FeedPort() = default;
  virtual void send(SharedText text) = 0;
  /// A message that is made as the socket takes it: what is sent later comes after it.
  virtual void send(std::unique_ptr<TextSource> message) = 0;
  /// Bytes that its socket has not taken yet.
  virtual std::size_t queued_bytes() const = 0;
};

/// The rows of a snapshot as messages of about 1 MiB.
class FeedRows {
 public:
  virtual ~FeedRows() = default;
  /// The next message; null at the end. Requires that none is being made.
  virtual std::unique_ptr<TextSource> next() = 0;
  /// The last message has not been made to its end: the connection has room again when it has.
  virtual bool is_making() const = 0;
};

/// On the connection's thread; lives as long as the connection, or until it is asked anew.
class Feed {
 public:
  Feed(std::string database, FeedPort& port) : database_(std::move(database)), port_(port) {}

  /// The backup goes on from its position: these are the records after it.
  void resume(std::vector<StreamTextRef> backlog);
  /// Rows will come: records wait until then.
  void compare() { state_ = State::kComparing; }
  /// The rows that differ. Null: none.
  void send_rows(std::unique_ptr<FeedRows> rows);
  /// A commit that was written to the log.
  void on_record(StreamTextRef record);
  /// The database was converted: what follows is not for the schema that the backup knows.
  void end();
  /// The connection has room again.
  void on_writable() { pump(); }

 private:
  enum class State : std::uint8_t {
    kComparing,  ///< rows are being compared; records wait
    kRows,       ///< rows are being sent; records wait
    kLive,       ///< records are sent as they come
    kLosing,     ///< it is to be told that it has lost the thread
    kLost,       ///< it knows
  };
  /// Beyond this many bytes in the connection's queue nothing is added; one full message more than
  /// it makes the connection tell when there is room again.
  static constexpr std::size_t kFullQueue = std::size_t{1} << 20;
  static constexpr std::size_t kMaxWaiting = std::size_t{64} << 20;

  bool has_room() const { return port_.queued_bytes() <= kFullQueue; }
  void pump();
  void lose();

  const std::string database_;
  FeedPort& port_;
  State state_ = State::kComparing;
  std::unique_ptr<FeedRows> rows_;
  std::deque<StreamTextRef> waiting_;
  std::size_t live_bytes_ = 0;  // of those in waiting_ that came by on_record()
  std::size_t backlog_ = 0;     // of those in waiting_ that did not; they are in front
};

}  // namespace tandem
