#include "server/logging/file_writer.h"

#include <cerrno>
#include <utility>

#include "server/posix/signal_stack.h"

namespace tandem::log {

namespace {

/// A line is awaited for so long.
constexpr std::chrono::milliseconds kPatience{50};
/// Bytes of lines that may wait.
constexpr std::size_t kMostWaiting = std::size_t{1} << 20;

}  // namespace

FileWriter::~FileWriter() {
  if (!thread_.joinable()) return;
  {
    const MutexLock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void FileWriter::start_thread() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

unsigned FileWriter::write(FileRef file, std::string text) {
  Line line{std::move(file), std::move(text)};
  MutexLock lock(mutex_);
  if (!thread_.joinable()) return (error_ = put(line)) == 0 ? 0 : 1;
  if (bytes_ + line.text.size() > kMostWaiting) return std::exchange(lost_, 0) + 1;
  bytes_ += line.text.size();
  lines_.push_back(std::move(line));
  wake_.notify_one();
  if (!hangs_)
    hangs_ =
        !written_.wait_for(lock, kPatience, [this]() REQUIRES(mutex_) { return lines_.empty(); });
  return std::exchange(lost_, 0);
}

int FileWriter::put(const Line& line) {
  if (output_.put(line.file->get(), line.text) == Sent::kYes) return 0;
  return output_.error() != 0 ? output_.error() : EIO;
}

FileHealth FileWriter::health() const {
  const MutexLock lock(mutex_);
  FileHealth health;
  health.write_error = error_;
  // The first line may have been added a moment ago, and wait for the thread.
  if (!lines_.empty() && writing_since_ != std::chrono::steady_clock::time_point{}) {
    health.waiting = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - writing_since_);
  }
  return health;
}

void FileWriter::run() {
  const SignalStack signal_stack;
  MutexLock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this]() REQUIRES(mutex_) { return stop_ || !lines_.empty(); });
    if (lines_.empty()) return;
    const Line& line = lines_.front();  // stays where it is while others are added
    writing_since_ = std::chrono::steady_clock::now();
    lock.unlock();
    const int error = put(line);
    lock.lock();
    error_ = error;
    if (error != 0) ++lost_;
    bytes_ -= line.text.size();
    {
      // The line may be the last to hold the file, whose closing waits for the disk, too.
      const Line gone = std::move(lines_.front());
      lines_.pop_front();
      writing_since_ = {};
      if (lines_.empty()) {
        hangs_ = false;
        written_.notify_one();
      }
      lock.unlock();
    }
    lock.lock();
  }
}

}  // namespace tandem::log
