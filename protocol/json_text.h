#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "protocol/json.h"
#include "protocol/text_source.h"

namespace tandem {

/// The text of a JSON value with something before and after it, as append_json() makes it but piece
/// by piece. A string is never cut, and the members of an object are sorted in one go.
class JsonText final : public TextSource {
 public:
  JsonText(std::string head, json::value value, std::string tail);
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  SharedText next() override;
  bool ended() const { return ended_; }

 private:
  /// An array or an object that has been begun.
  struct Level {
    const json::array* array = nullptr;  ///< null: an object
    std::vector<const json::key_value_pair*> members;
    std::size_t size = 0;
    std::size_t next = 0;  ///< of the elements or members
  };
  /// Appends it, or begins it.
  void begin(std::string& out, const json::value& value);
  /// Goes on with the innermost level.
  void go_on(std::string& out);

  const json::value value_;
  std::string text_;  ///< begins the next piece
  const std::string tail_;
  std::vector<Level> levels_;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace tandem
