#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

enum class JsonKind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

/// An entry of a document's index, for a value or the name of a member. They stand in the order of
/// the text: after an array its elements, after an object each member's name and value.
struct JsonNode {
  std::uint32_t place = 0;  ///< number, string: where its text is; array, object: the node after it
  std::uint32_t size = 0;   ///< bytes; elements or members; of a boolean: 1 if true
  JsonKind kind = JsonKind::kNull;
  bool is_unescaped = false;   ///< a string in the side buffer
  bool is_superseded = false;  ///< the name of a member that stands again later, which counts
};

/// The parts of a document that views read.
struct JsonIndex {
  const JsonNode* nodes = nullptr;
  const char* text = nullptr;
  const char* unescaped = nullptr;
};

class JsonView;

/// One JSON value as text with an index over it: no values are made, views read them from the text.
/// Made by JsonReader. Immutable; views stay valid when it is moved.
class JsonDocument {
 public:
  JsonDocument() = default;
  enum class Text : std::uint8_t { kCopied, kBorrowed };
  JsonDocument(std::string_view text, std::string_view unescaped,
               const std::vector<JsonNode>& nodes, Text whose = Text::kCopied);
  /// Takes large parts over instead of copying them.
  JsonDocument(std::string&& text, std::string&& unescaped, std::vector<JsonNode>&& nodes);

  /// Absent when the document is empty.
  JsonView root() const;
  bool empty() const { return data_ == nullptr; }

 private:
  friend class JsonView;
  /// Lies in one allocation with what it points to, or owns that.
  struct Data : JsonIndex {
    std::string own_text;
    std::string own_unescaped;
    std::vector<JsonNode> own_nodes;
  };
  struct Delete {
    void operator()(Data* data) const;
  };
  std::unique_ptr<Data, Delete> data_;
};

struct JsonMember;
class JsonElements;
class JsonMembers;

/// A value in a document, or none: what a search did not find, which reads like null. Borrows the
/// document, costs nothing to copy.
class JsonView {
 public:
  JsonView() = default;
  JsonView(std::nullptr_t) {}             // NOLINT(google-explicit-constructor): no value
  JsonView(const JsonDocument& document)  // NOLINT(google-explicit-constructor): its root
      : JsonView(document.root()) {}

  /// Is there a value?
  explicit operator bool() const { return index_ != &kAbsent; }

  JsonKind kind() const { return node().kind; }
  bool is_null() const { return kind() == JsonKind::kNull; }
  bool is_bool() const { return kind() == JsonKind::kBoolean; }
  bool is_number() const { return kind() == JsonKind::kNumber; }
  bool is_string() const { return kind() == JsonKind::kString; }
  bool is_array() const { return kind() == JsonKind::kArray; }
  bool is_object() const { return kind() == JsonKind::kObject; }

  // These require the kind.

  bool get_bool() const { return node().size != 0; }
  std::string_view get_string() const { return text_of(node()); }
  /// A number as it is written.
  std::string_view number_text() const { return text_of(node()); }
  /// Of an array or object.
  std::size_t size() const { return node().size; }
  bool empty() const { return size() == 0; }
  /// The element; looks at those before it. Requires index < size().
  JsonView operator[](std::size_t index) const;
  JsonView front() const { return {index_, at_ + 1}; }
  JsonElements elements() const;
  JsonMembers members() const;

  /// The member of an object; absent in any other kind.
  JsonView find(std::string_view name) const;

 private:
  friend class JsonDocument;
  friend class JsonElements;
  friend class JsonMembers;
  JsonView(const JsonIndex* index, std::uint32_t at) : index_(index), at_(at) {}

  const JsonNode& node() const { return index_->nodes[at_]; }
  std::string_view text_of(const JsonNode& node) const {
    return {(node.is_unescaped ? index_->unescaped : index_->text) + node.place, node.size};
  }
  /// The node behind the value.
  std::uint32_t end() const {
    const JsonNode& here = node();
    return here.kind >= JsonKind::kArray ? here.place : at_ + 1;
  }

  static constexpr JsonNode kNull{};
  static constexpr JsonIndex kAbsent{&kNull};

  const JsonIndex* index_ = &kAbsent;
  std::uint32_t at_ = 0;
};

inline JsonView JsonDocument::root() const {
  return data_ == nullptr ? JsonView() : JsonView(data_.get(), 0);
}

struct JsonMember {
  std::string_view name;
  JsonView value;
};

/// The elements of an array, in order.
class JsonElements {
 public:
  class Iterator {
   public:
    explicit Iterator(JsonView at) : at_(at) {}
    JsonView operator*() const { return at_; }
    Iterator& operator++() {
      at_.at_ = at_.end();
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_.at_ == other.at_.at_; }

   private:
    JsonView at_;
  };
  explicit JsonElements(JsonView array) : array_(array) {}
  Iterator begin() const { return Iterator({array_.index_, array_.at_ + 1}); }
  Iterator end() const { return Iterator({array_.index_, array_.end()}); }

 private:
  JsonView array_;
};

/// The members of an object, in the order of the text. Of those with the same name only the last is
/// there.
class JsonMembers {
 public:
  class Iterator {
   public:
    Iterator(JsonView at, std::uint32_t end) : at_(at), end_(end) { skip_superseded(); }
    JsonMember operator*() const { return {at_.text_of(at_.node()), {at_.index_, at_.at_ + 1}}; }
    Iterator& operator++() {
      next();
      skip_superseded();
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_.at_ == other.at_.at_; }

   private:
    void next() { at_.at_ = JsonView{at_.index_, at_.at_ + 1}.end(); }
    void skip_superseded() {
      while (at_.at_ != end_ && at_.node().is_superseded) next();
    }
    JsonView at_;
    std::uint32_t end_;
  };
  explicit JsonMembers(JsonView object) : object_(object) {}
  Iterator begin() const { return {{object_.index_, object_.at_ + 1}, object_.end()}; }
  Iterator end() const { return {{object_.index_, object_.end()}, object_.end()}; }

 private:
  JsonView object_;
};

/// The members of an object by name.
std::vector<JsonMember> sorted_members(JsonView object);

inline JsonElements JsonView::elements() const { return JsonElements(*this); }
inline JsonMembers JsonView::members() const { return JsonMembers(*this); }

/// An integer, or a real that has no fraction and fits: how OVSDB reads JSON numbers (RFC 7047
/// section 3.1). False if the value is absent, or not such a number.
bool as_integer(JsonView value, std::int64_t& out);
/// The nearest real. Requires a number.
double as_real(JsonView value);

}  // namespace tandem
