#include <boost/json/basic_parser_impl.hpp>

#include "server/storage/record.h"

// A position of a file of 57 MB should not need a DOM of it: the events of Boost.JSON's parser are
// enough to find one string at the top, and they check the rest of the text on the way.

namespace tandem::storage {
namespace {

/// Boost.JSON's event handler: keeps the value of "_comment" at depth 1 if it is a string.
class CommentFinder {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  bool is_object() const { return is_object_; }
  std::string take_comment() { return std::move(comment_); }

  using Error = boost::system::error_code;
  using Text = boost::json::string_view;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) {
    if (depth_ == 0) is_object_ = true;
    return begin();
  }
  bool on_object_end(std::size_t, Error&) { return end(); }
  bool on_array_begin(Error&) { return begin(); }
  bool on_array_end(std::size_t, Error&) { return end(); }
  bool on_key_part(Text part, std::size_t, Error&) {
    if (depth_ == 1) key_.append(part);
    return true;
  }
  bool on_key(Text part, std::size_t size, Error& error) {
    if (depth_ != 1) return true;
    on_key_part(part, size, error);
    in_comment_ = key_ == "_comment";
    if (in_comment_) comment_.clear();
    key_.clear();
    return true;
  }
  bool on_string_part(Text part, std::size_t, Error&) {
    if (depth_ == 1 && in_comment_) comment_.append(part);
    return true;
  }
  bool on_string(Text part, std::size_t size, Error& error) {
    return on_string_part(part, size, error);
  }
  bool on_number_part(Text, Error&) { return true; }
  bool on_int64(std::int64_t, Text, Error&) { return true; }
  bool on_uint64(std::uint64_t, Text, Error&) { return true; }
  bool on_double(double, Text, Error&) { return true; }
  bool on_bool(bool, Error&) { return true; }
  bool on_null(Error&) { return true; }
  bool on_comment_part(Text, Error&) { return true; }
  bool on_comment(Text, Error&) { return true; }

 private:
  bool begin() {
    depth_++;
    return true;
  }
  bool end() {
    depth_--;
    return true;
  }

  std::size_t depth_ = 0;
  bool is_object_ = false;
  bool in_comment_ = false;
  std::string key_;
  std::string comment_;
};

}  // namespace

std::optional<std::string> record_comment(std::string_view body) {
  boost::json::parse_options options;
  options.max_depth = 1000;
  boost::json::basic_parser<CommentFinder> parser(options);
  boost::system::error_code error;
  const std::size_t used = parser.write_some(false, body.data(), body.size(), error);
  if (error || used != body.size() || !parser.handler().is_object()) return std::nullopt;
  return parser.handler().take_comment();
}

}  // namespace tandem::storage
