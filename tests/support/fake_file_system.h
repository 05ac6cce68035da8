#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "server/storage/file_system.h"
#include "tests/support/fake_contents.h"

namespace tandem::test {

/// A disk in memory that does what disks do when they misbehave: it is full, fails on command,
/// tears a write that fails, and loses what was not synced when the power goes. Folders exist by
/// being named. Any thread; must outlive its files.
class FakeFileSystem : public storage::FileSystem {
 public:
  template <class T>
  using IoResult = storage::IoResult<T>;

  enum class Op {
    kOpen,
    kCreate,
    kRead,
    kWrite,
    kTruncate,
    kSync,
    kRename,
    kUnlink,
    kSyncFolder,
    kLock
  };

  /// Lets `skip` calls of this kind succeed, and fails the one after them with `error`. A failing
  /// write still writes half.
  void fail(Op op, int error, int skip = 0) {
    const std::lock_guard guard(mutex_);
    faults_[op] = {error, skip, false};
  }
  /// The same for all calls after those, until heal().
  void keep_failing(Op op, int error, int skip = 0) {
    const std::lock_guard guard(mutex_);
    faults_[op] = {error, skip, true};
  }
  /// After so many calls of any kind nothing works any more, until heal_all().
  void fail_all(int error, int skip) {
    const std::lock_guard guard(mutex_);
    all_fail_ = Fault{error, skip, true};
  }
  void heal_all() {
    const std::lock_guard guard(mutex_);
    all_fail_.reset();
    faults_.clear();
  }
  void heal(Op op) {
    const std::lock_guard guard(mutex_);
    faults_.erase(op);
  }
  /// Bytes that all files together may have; writes beyond fill it up and fail with ENOSPC.
  void set_capacity(std::uint64_t bytes) {
    const std::lock_guard guard(mutex_);
    capacity_ = bytes;
  }
  /// Bytes that all files together have.
  std::uint64_t used() const {
    const std::lock_guard guard(mutex_);
    return used_without(Node{});
  }
  /// How often a call of this kind was made, failed ones included.
  int calls(Op op) const {
    const std::lock_guard guard(mutex_);
    const auto found = calls_.find(op);
    return found == calls_.end() ? 0 : found->second;
  }

  /// Bytes that the longest read had room for.
  std::size_t longest_read() const {
    const std::lock_guard guard(mutex_);
    return longest_read_;
  }

  /// The machine stops and starts again: open files are dead (EIO), locks are free, and of what was
  /// not synced some survives, as `seed` decides: the changes of a folder all or none, of the bytes
  /// appended to a file a part, perhaps with zeros at the end, of those overwritten any.
  void power_loss(std::uint64_t seed) {
    const std::lock_guard guard(mutex_);
    std::mt19937_64 random(seed);
    generation_++;
    locks_.clear();
    std::set<std::string> folders;
    for (const Names* names : {&names_, &durable_names_})
      for (const auto& [path, node] : *names) folders.insert(storage::folder_of(path));
    Names after;
    for (const std::string& folder : folders)
      for (const auto& name : random() % 2 ? names_ : durable_names_)
        if (storage::folder_of(name.first) == folder) after.insert(name);
    names_ = durable_names_ = after;
    for (const auto& [path, node] : names_) node->lose_unsynced(random);
  }

  /// The process that held them is gone, whoever still keeps its objects.
  void release_locks() {
    const std::lock_guard guard(mutex_);
    locks_.clear();
  }

  // To look at and to prepare the disk. What these make is durable.

  bool exists(const std::string& path) const {
    const std::lock_guard guard(mutex_);
    return names_.contains(path);
  }
  std::string contents(const std::string& path) const {
    const std::lock_guard guard(mutex_);
    const auto found = names_.find(path);
    return found == names_.end() ? "" : found->second->now;
  }
  void put(const std::string& path, const std::string& contents) {
    const std::lock_guard guard(mutex_);
    durable_names_[path] = names_[path] =
        std::make_shared<Node>(Node{contents, contents, contents.size()});
  }
  /// A file that is mounted by itself: no other takes its name.
  void put_mount(const std::string& path) {
    const std::lock_guard guard(mutex_);
    mounts_.insert(path);
  }
  /// Other things that happen while a call of this kind takes its time: each, or the next one.
  void during_each(Op op, std::function<void()> other) {
    const std::lock_guard guard(mutex_);
    during_[op] = std::move(other);
  }
  void during_next(Op op, std::function<void()> other) {
    during_each(op, [this, op, other = std::move(other)] {
      {
        const std::lock_guard guard(mutex_);
        during_.erase(op);
      }
      other();
    });
  }
  /// Is anything still to happen during a call of this kind?
  bool is_awaited(Op op) const {
    const std::lock_guard guard(mutex_);
    return during_.contains(op);
  }
  void put_link(const std::string& path, const std::string& target) {
    const std::lock_guard guard(mutex_);
    links_[path] = target;
  }
  std::set<std::string> paths() const {
    const std::lock_guard guard(mutex_);
    std::set<std::string> result;
    for (const auto& [path, node] : names_) result.insert(path);
    return result;
  }

  // storage::FileSystem

  IoResult<std::unique_ptr<storage::File>> open(const std::string& path, Access) override {
    const auto guard = enter(Op::kOpen);
    if (const int error = called(Op::kOpen)) return code(error);
    const auto found = names_.find(path);
    if (found == names_.end()) return code(ENOENT);
    return std::make_unique<OpenFile>(*this, found->second, generation_);
  }

  IoResult<std::unique_ptr<storage::File>> open_again(const std::string& path,
                                                      const storage::File& file) override {
    const auto guard = enter(Op::kOpen);
    if (const int error = called(Op::kOpen)) return code(error);
    const auto found = names_.find(path);
    if (found == names_.end()) return code(ENOENT);
    if (!static_cast<const OpenFile&>(file).is(*found->second)) return code(ESTALE);
    return std::make_unique<OpenFile>(*this, found->second, generation_);
  }

  IoResult<std::unique_ptr<storage::File>> create(const std::string& path,
                                                  const storage::File*) override {
    const auto guard = enter(Op::kCreate);
    if (const int error = called(Op::kCreate)) return code(error);
    const auto [place, is_new] = names_.try_emplace(path, std::make_shared<Node>());
    if (!is_new) return code(EEXIST);
    return std::make_unique<OpenFile>(*this, place->second, generation_);
  }

  IoResult<void> rename(const std::string& from, const std::string& to) override {
    const auto guard = enter(Op::kRename);
    if (const int error = called(Op::kRename)) return code(error);
    if (mounts_.contains(to)) return code(EBUSY);
    const auto found = names_.find(from);
    if (found == names_.end()) return code(ENOENT);
    names_[to] = found->second;
    names_.erase(from);
    return {};
  }

  IoResult<void> unlink(const std::string& path) override {
    const auto guard = enter(Op::kUnlink);
    if (const int error = called(Op::kUnlink)) return code(error);
    if (names_.erase(path) == 0) return code(ENOENT);
    return {};
  }

  IoResult<void> sync_folder(const std::string& folder) override {
    const auto guard = enter(Op::kSyncFolder);
    if (const int error = called(Op::kSyncFolder)) return code(error);
    const auto in_folder = [&](const auto& name) {
      return storage::folder_of(name.first) == folder;
    };
    std::erase_if(durable_names_, in_folder);
    for (const auto& name : names_)
      if (in_folder(name)) durable_names_.insert(name);
    return {};
  }

  IoResult<std::string> resolve(const std::string& path) override {
    const std::lock_guard guard(mutex_);
    std::string target = path;
    for (auto link = links_.find(target); link != links_.end(); link = links_.find(target))
      target = link->second;
    return target;
  }

  IoResult<std::unique_ptr<storage::FileLock>> lock(const std::string& path) override {
    const auto guard = enter(Op::kLock);
    if (const int error = called(Op::kLock)) return code(error);
    names_.try_emplace(path, std::make_shared<Node>());
    if (!locks_.try_emplace(path, ++last_lock_).second) return code(EDEADLK);
    return std::make_unique<HeldLock>(*this, path, last_lock_);
  }

 private:
  using Node = FakeContents;
  using Names = std::map<std::string, std::shared_ptr<Node>>;

  struct Fault {
    int error;
    int skip;
    bool stays;
  };

  class OpenFile : public storage::File {
   public:
    OpenFile(FakeFileSystem& disk, std::shared_ptr<Node> node, int generation)
        : disk_(disk), node_(std::move(node)), generation_(generation) {}

    bool is(const Node& node) const { return node_.get() == &node; }

    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const override {
      const auto guard = disk_.enter(Op::kRead);
      if (const int error = called(Op::kRead)) return code(error);
      disk_.longest_read_ = std::max(disk_.longest_read_, out.size());
      const std::string& bytes = node_->now;
      if (offset >= bytes.size()) return std::size_t{0};
      return bytes.copy(out.data(), out.size(), static_cast<std::size_t>(offset));
    }

    IoResult<void> write_at(std::uint64_t offset,
                            std::span<const std::string_view> pieces) override {
      const auto guard = disk_.enter(Op::kWrite);
      std::string bytes;
      for (const std::string_view piece : pieces) bytes += piece;
      int error = called(Op::kWrite);
      if (error) bytes.resize(bytes.size() / 2);
      const std::uint64_t others = disk_.used_without(*node_);
      const std::uint64_t limit = disk_.capacity_ - std::min(disk_.capacity_, others);
      if (!error && offset + bytes.size() > limit) {
        bytes.resize(limit > offset ? static_cast<std::size_t>(limit - offset) : 0);
        error = ENOSPC;
      }
      node_->write(static_cast<std::size_t>(offset), bytes);
      return outcome(error);
    }

    IoResult<std::uint64_t> size() const override {
      const std::lock_guard guard(disk_.mutex_);
      if (generation_ != disk_.generation_) return code(EIO);
      return std::uint64_t{node_->now.size()};
    }

    IoResult<void> truncate(std::uint64_t size) override {
      const auto guard = disk_.enter(Op::kTruncate);
      if (const int error = called(Op::kTruncate)) return code(error);
      node_->truncate(static_cast<std::size_t>(size));
      return {};
    }

    IoResult<std::uint64_t> room(std::uint64_t offset) const override {
      const std::lock_guard guard(disk_.mutex_);
      const std::uint64_t used = disk_.used_without(*node_) + offset;
      return disk_.capacity_ - std::min(disk_.capacity_, used);
    }

    IoResult<void> sync() override {
      const auto guard = disk_.enter(Op::kSync);
      if (const int error = called(Op::kSync)) return code(error);
      node_->sync();
      return {};
    }

   private:
    int called(Op op) const {
      const int error = disk_.called(op);
      return generation_ != disk_.generation_ ? EIO : error;
    }

    FakeFileSystem& disk_;
    std::shared_ptr<Node> node_;
    int generation_;
  };

  class HeldLock : public storage::FileLock {
   public:
    HeldLock(FakeFileSystem& disk, std::string path, std::uint64_t number)
        : disk_(disk), path_(std::move(path)), number_(number) {}
    HeldLock(const HeldLock&) = delete;
    HeldLock& operator=(const HeldLock&) = delete;
    ~HeldLock() override {
      const std::lock_guard guard(disk_.mutex_);
      const auto held = disk_.locks_.find(path_);
      if (held != disk_.locks_.end() && held->second == number_) disk_.locks_.erase(held);
    }

   private:
    FakeFileSystem& disk_;
    std::string path_;
    std::uint64_t number_;
  };

  static boost::system::error_code code(int error) {
    return {error, boost::system::generic_category()};
  }
  static IoResult<void> outcome(int error) {
    if (error) return code(error);
    return {};
  }

  /// A call of this kind begins: what happens during it does, and then nobody else can use the
  /// disk.
  std::unique_lock<std::mutex> enter(Op op) const {
    std::unique_lock lock(mutex_);
    const auto found = during_.find(op);
    if (found == during_.end()) return lock;
    const std::function<void()> other = found->second;
    lock.unlock();
    other();
    lock.lock();
    return lock;
  }

  /// Counts a call; the errno that it is to fail with, or 0.
  int called(Op op) {
    calls_[op]++;
    if (all_fail_ && all_fail_->skip-- <= 0) return all_fail_->error;
    const auto found = faults_.find(op);
    if (found == faults_.end()) return 0;
    Fault& fault = found->second;
    if (fault.skip > 0) {
      fault.skip--;
      return 0;
    }
    const int error = fault.error;
    if (!fault.stays) faults_.erase(found);
    return error;
  }

  std::uint64_t used_without(const Node& node) const {
    std::uint64_t sum = 0;
    for (const auto& [path, other] : names_)
      if (other.get() != &node) sum += other->now.size();
    return sum;
  }

  mutable std::mutex mutex_;
  Names names_;          ///< as programs see them
  Names durable_names_;  ///< as after a power loss at least
  std::map<std::string, std::string> links_;
  std::set<std::string> mounts_;
  std::map<Op, std::function<void()>> during_;
  std::map<std::string, std::uint64_t> locks_;  ///< by path; the number tells holders apart
  std::uint64_t last_lock_ = 0;
  std::map<Op, Fault> faults_;
  std::optional<Fault> all_fail_;
  std::map<Op, int> calls_;
  std::size_t longest_read_ = 0;  // bytes
  std::uint64_t capacity_ = UINT64_MAX;
  int generation_ = 0;
};

}  // namespace tandem::test
