#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tandem::bench {

/// `--name value` pairs of the command line. Asking for one that is not there and has no default
/// ends the program with a message.
class Options {
 public:
  Options(int argc, char** argv);

  bool has(const std::string& name) const { return values_.contains(name); }
  std::string text(const std::string& name) const;
  std::string text(const std::string& name, const std::string& otherwise) const;
  std::int64_t number(const std::string& name, std::int64_t otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace tandem::bench
