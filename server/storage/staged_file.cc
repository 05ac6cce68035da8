#include "server/storage/staged_file.h"

#include <algorithm>
#include <utility>

#include "server/storage/overwriting.h"

namespace tandem::storage {
namespace {

/// What is staged in a file, as a file that can only be read. kCutMeanwhile when the overwriting
/// has ended.
class StagedFile : public File {
 public:
  StagedFile(std::unique_ptr<File> file, StagedContents staged)
      : file_(std::move(file)), staged_(staged) {}

  IoResult<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const override {
    if (offset >= staged_.size) return std::size_t{0};
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), staged_.size - offset));
    out = out.first(wanted);
    const IoResult<std::size_t> got = file_->read_at(staged_.begin + offset, out);
    if (got && *got < wanted) return kCutMeanwhile;
    if (got) invert(out);
    return got;
  }

  IoResult<std::uint64_t> size() const override {
    const IoResult<std::uint64_t> size = file_->size();
    if (!size) return size;
    return *size < staged_.begin ? 0 : std::min(staged_.size, *size - staged_.begin);
  }

  IoResult<void> write_at(std::uint64_t /*offset*/,
                          std::span<const std::string_view> /*pieces*/) override {
    return refused();
  }
  IoResult<void> truncate(std::uint64_t /*size*/) override { return refused(); }
  IoResult<std::uint64_t> room(std::uint64_t /*offset*/) const override {
    return refused().error();
  }
  IoResult<void> sync() override { return refused(); }

 private:
  static IoResult<void> refused() {
    return boost::system::errc::make_error_code(boost::system::errc::read_only_file_system);
  }

  std::unique_ptr<File> file_;
  const StagedContents staged_;
};

}  // namespace

IoResult<std::unique_ptr<File>> open_to_read(FileSystem& files, const std::string& path) {
  IoResult<std::unique_ptr<File>> file = files.open(path, FileSystem::Access::kReadOnly);
  if (!file) return file;
  const IoResult<std::optional<StagedContents>> staged = find_staged(**file);
  if (!staged && staged.error() != kCutMeanwhile) return staged.error();
  if (!staged || !*staged) return file;  // or it was put in its place just now
  return std::make_unique<StagedFile>(std::move(*file), **staged);
}

}  // namespace tandem::storage
