#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "protocol/json/json_output.h"
#include "protocol/text_source.h"

namespace tandem {

/// The text of a JSON value with something before and after it, as append_json() makes it but piece
/// by piece. A string is never cut, and the members of an object are sorted in one go.
class JsonText final : public TextSource {
 public:
  /// `value` is of the document.
  JsonText(std::string head, JsonDocument document, JsonView value, std::string tail);
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  SharedText next() override;
  bool ended() const { return ended_; }

 private:
  /// An array or an object that has been begun.
  struct Level {
    JsonElements::Iterator element;  ///< of an array: the next one
    JsonElements::Iterator end;
    std::vector<JsonMember> members;
    bool is_array = true;
    std::size_t next = 0;  ///< counts elements or members
  };
  /// Appends it, or begins it.
  void begin(std::string& out, JsonView value);
  /// Goes on with the innermost level.
  void go_on(std::string& out);

  const JsonDocument document_;
  const JsonView value_;
  std::string text_;  ///< begins the next piece
  const std::string tail_;
  std::vector<Level> levels_;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace tandem
