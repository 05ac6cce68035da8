#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "server/storage/file_system.h"

namespace tandem::storage {

/// For how long a thread has been waiting for an answer of the disk. One thread at a time makes the
/// calls, any may ask. Outlives both its Calls and its WatchedFiles.
class DiskWait {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  explicit DiskWait(Moment (*now)() = &std::chrono::steady_clock::now) : now_(now) {}

  /// Something that the disk is asked to do, for as long as that is under way.
  class Call {
   public:
    explicit Call(DiskWait& wait) : wait_(wait), begun_(wait.now_()) {
      wait.since_.store(begun_, std::memory_order_relaxed);
    }
    ~Call() { wait_.since_.store({}, std::memory_order_relaxed); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    /// How long it has been under way.
    std::int64_t lasted_us() const {
      return std::chrono::duration_cast<std::chrono::microseconds>(wait_.now_() - begun_).count();
    }

   private:
    DiskWait& wait_;
    const Moment begun_;
  };

  /// A part of what is under way is done: the disk works, however long the whole takes.
  void answered() {
    if (since_.load(std::memory_order_relaxed) != Moment{})
      since_.store(now_(), std::memory_order_relaxed);
  }

  /// Since the call began, or the last answer; zero if there is none.
  std::chrono::milliseconds waited() const {
    const Moment since = since_.load(std::memory_order_relaxed);
    if (since == Moment{}) return std::chrono::milliseconds(0);
    return std::chrono::duration_cast<std::chrono::milliseconds>(now_() - since);
  }

 private:
  Moment (*const now_)();
  std::atomic<Moment> since_;  ///< zero: no call is under way
};

/// A file each of whose calls is an answer of the disk when it returns. Used by one thread, in a
/// Call; the file must outlive it.
class WatchedFile : public File {
 public:
  WatchedFile(File& file, DiskWait& wait) : file_(file), wait_(wait) {}

  IoResult<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const override {
    return answered(file_.read_at(offset, out));
  }
  IoResult<void> write_at(std::uint64_t offset, std::span<const std::string_view> pieces) override {
    return answered(file_.write_at(offset, pieces));
  }
  IoResult<std::uint64_t> size() const override { return answered(file_.size()); }
  IoResult<void> truncate(std::uint64_t size) override { return answered(file_.truncate(size)); }
  IoResult<std::uint64_t> room(std::uint64_t offset) const override {
    return answered(file_.room(offset));
  }
  IoResult<void> sync() override { return answered(file_.sync()); }

 private:
  template <class Answer>
  Answer answered(Answer answer) const {
    wait_.answered();
    return answer;
  }

  File& file_;
  DiskWait& wait_;
};

}  // namespace tandem::storage
