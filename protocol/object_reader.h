#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/error.h"

namespace tandem {

/// Kinds of JSON that a member may be; or-ed.
enum JsonKinds : unsigned {
  kJsonNull = 1,
  kJsonBoolean = 2,
  kJsonInteger = 4,
  kJsonReal = 8,
  kJsonNumber = kJsonInteger | kJsonReal,
  kJsonString = 16,
  kJsonArray = 32,
  kJsonObject = 64,
  kJsonAny = 127,
  kJsonId = 128,  ///< a string that is an RFC 7047 <id>
};

/// Reads the members of a JSON object and reports what is missing, mistyped or superfluous, in
/// ovsdb-server's words: "Parsing WHAT failed: Type mismatch for member 'X'." The first error wins.
/// Borrows the value.
class ObjectReader {
 public:
  /// `what` names the object in errors; with a count: "WHAT NUMBER of COUNT".
  ObjectReader(JsonView object, std::string what, std::size_t number = 0, std::size_t count = 0);

  /// The member; absent when there is none (an error unless optional) or of another kind (always an
  /// error).
  JsonView required(std::string_view name, unsigned kinds);
  JsonView optional(std::string_view name, unsigned kinds);
  void fail(std::string details);

  /// Reports members that nobody asked for, and returns the first error of all. The syntax member
  /// is the object.
  Result<void> finish();

 private:
  /// Notes that the member was asked for, and checks its kind.
  JsonView checked(std::string_view name, JsonView member, unsigned kinds);

  std::string what() const;

  const JsonView value_;
  std::string what_;
  std::size_t number_;
  std::size_t count_;
  boost::container::small_vector<std::string_view, 8> used_;
  std::string failure_;
};

}  // namespace tandem
