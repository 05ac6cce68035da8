#pragma once

#include <memory>
#include <string>
#include <utility>

namespace tandem {

/// Text that many connections send: encoded once, never changed.
using SharedText = std::shared_ptr<const std::string>;

inline SharedText shared_text(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

/// Data that nobody needs any more, and that would take long to free in one go.
class Remains {
 public:
  virtual ~Remains() = default;
  /// Frees some of it, in a fraction of a millisecond. False when nothing is left.
  virtual bool free_some() = 0;
};

/// One message, made piece by piece as the peer's socket takes it: what is too long to be held
/// whole, or to be made in one go while others wait. On the connection's thread.
class TextSource {
 public:
  virtual ~TextSource() = default;
  /// The next piece, which may be empty; null at the end. Must not call the connection.
  virtual SharedText next() = 0;
  /// The data to be freed after it, may be null. It is asked for nothing more.
  virtual std::unique_ptr<Remains> remains() { return nullptr; }
};

}  // namespace tandem
