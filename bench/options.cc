#include "bench/options.h"

#include "bench/void.h"

namespace tandem::bench {

Options::Options(int argc, char** argv) {
  for (int i = 0; i < argc; i += 2) {
    const std::string_view name = argv[i];
    require(name.starts_with("--") && i + 1 < argc, "usage: --name value ...");
    values_[std::string(name.substr(2))] = argv[i + 1];
  }
}

std::string Options::text(const std::string& name) const {
  const auto found = values_.find(name);
  require(found != values_.end(), "--" + name + " is missing");
  return found->second;
}

std::string Options::text(const std::string& name, const std::string& otherwise) const {
  return has(name) ? text(name) : otherwise;
}

std::int64_t Options::number(const std::string& name, std::int64_t otherwise) const {
  return has(name) ? std::stoll(text(name)) : otherwise;
}

}  // namespace tandem::bench
