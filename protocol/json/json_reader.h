#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error.h"
#include "protocol/json/json_document.h"
#include "protocol/json/json_fault.h"
#include "protocol/json/json_grammar.h"
#include "protocol/json/json_lexer.h"

namespace tandem {

/// Reads JSON as ovsdb-server reads it, and makes the index of a document. Strings need not be
/// UTF-8 (columns check that), but NUL in them is an error, and so is a value nested deeper than
/// kMostJsonDepth. The text may come in pieces that are split anywhere. One thread; reuse it, it
/// keeps its buffers.
class JsonReader {
 public:
  enum class Top : std::uint8_t {
    kContainer,  ///< an array or an object
    kAny,
  };
  enum class Status : std::uint8_t {
    kMore,    ///< so far it is right
    kDone,    ///< the value ends at position()
    kFailed,  ///< it is wrong: only fault() and restart() help
  };

  /// Of values within more than `indexed_depth` arrays and objects only the form is checked.
  explicit JsonReader(Top top = Top::kContainer, std::size_t indexed_depth = kMostJsonDepth)
      : top_(top), indexed_depth_(indexed_depth) {}

  /// Goes on with the text that read() had before, and what has come since. `is_last`: nothing more
  /// comes, which a number at top level waits for.
  Status read(std::string_view text, bool is_last = false);
  /// So much of the text has been read.
  std::size_t position() const { return position_; }
  /// Names the fault, or what is missing when the text has ended. The text began at `begin`.
  std::string fault(std::string_view text, const JsonPlace& begin = {}) const;
  /// The value that was read. Requires kDone, and the text up to position(). The next read() begins
  /// another value.
  JsonDocument take(std::string_view text);
  /// The same; takes a long text over instead of copying it.
  JsonDocument take(std::string&& text);
  /// The same, but the text is neither copied nor owned: the document needs it.
  JsonDocument borrow(std::string_view text);
  void restart();

 private:
  static constexpr std::size_t kMaxBytes = std::numeric_limits<std::uint32_t>::max();

  /// The token that a piece of the text ends in.
  enum class Token : std::uint8_t { kNone, kString, kNumber };
  // Each goes on at at_, and returns false if the reader stops here: status_ says why.
  bool run();
  bool skip_space();
  bool read_value();
  bool read_end();
  bool begin_string();
  bool go_on_string(const char* at);
  bool begin_number();
  bool go_on_number();
  bool read_word(std::string_view word, JsonKind kind, bool is_true = false);
  bool open(JsonKind kind);
  bool close();
  bool stop(Status status);
  bool fail(const char* token);
  /// A name, or a value that is a string, is complete.
  void end_string();
  void end_value();

  void supersede_equal_names(std::uint32_t object);
  void supersede_among_many(std::uint32_t object);
  /// Those of the object's names before this one that are equal to it.
  void supersede_before(std::uint32_t object, std::uint32_t name);
  void supersede(std::uint32_t object, std::uint32_t name);
  std::string_view name_at(std::uint32_t node) const;

  std::uint32_t offset(const char* at) const { return static_cast<std::uint32_t>(at - begin_); }
  void add_node(std::uint32_t place, std::size_t size, JsonKind kind, bool is_unescaped = false) {
    if (is_indexed_)
      nodes_.push_back({place, static_cast<std::uint32_t>(size), kind, is_unescaped, false});
  }
  /// The node behind the value at `node`.
  std::uint32_t end_of(std::uint32_t node) const {
    const JsonNode& here = nodes_[node];
    return here.kind >= JsonKind::kArray ? here.place : node + 1;
  }

  const Top top_;
  const std::size_t indexed_depth_;
  // While it runs:
  const char* begin_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  bool is_last_ = false;
  // Between runs:
  std::size_t position_ = 0;
  Status status_ = Status::kMore;
  JsonExpected expected_ = JsonExpected::kStart;
  Token token_ = Token::kNone;
  std::uint32_t token_begin_ = 0;  ///< of what is being read, or wrong
  std::uint32_t segment_ = 0;      ///< of a string with escapes: not yet in unescaped_ from here on
  std::uint32_t unescaped_at_ = 0;  ///< where it begins there
  bool has_escapes_ = false;
  bool is_indexed_ = true;  ///< what is read now gets nodes
  NumberPart number_part_{};

  /// That of an array or object that is open has the node of the one around it as its place.
  std::vector<JsonNode> nodes_;
  std::uint32_t inner_ = 0;  ///< the node of the innermost that is open
  std::size_t depth_ = 0;    ///< so many are open
  JsonExpected behind_value_ = JsonExpected::kEnd;
  std::string unescaped_;
};

/// Reads a text that is one JSON value. Fails with "syntax error", its details the place and fault
/// of json_fault.h.
Result<JsonDocument> parse_json(std::string_view text);

}  // namespace tandem
