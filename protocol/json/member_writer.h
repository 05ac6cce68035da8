#pragma once

#include <string>
#include <string_view>

#include "protocol/json/json_output.h"
#include "protocol/uuid.h"

namespace tandem {

/// Appends the members of a JSON object, with commas between them and without the braces.
class MemberWriter {
 public:
  explicit MemberWriter(std::string& out) : out_(out) {}
  /// Begins a member: its value is to be appended to what is returned.
  std::string& name(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_ += ':';
    return out_;
  }
  std::string& name(const Uuid& uuid) {
    separate();
    out_ += '"';
    uuid.append_to(out_);
    out_ += "\":";
    return out_;
  }
  void string(std::string_view member, std::string_view value) {
    append_json_string(name(member), value);
  }
  void integer(std::string_view member, std::int64_t value) {
    append_json_integer(name(member), value);
  }
  void boolean(std::string_view member, bool value) { name(member) += value ? "true" : "false"; }

 private:
  void separate() {
    if (any_) out_ += ',';
    any_ = true;
  }

  std::string& out_;
  bool any_ = false;
};

}  // namespace tandem
