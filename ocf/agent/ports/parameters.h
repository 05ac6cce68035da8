#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::agent {

/// An environment variable; one that is empty counts as none.
std::string variable(const std::string& name, const std::string& otherwise = "");

/// Why Pacemaker is told that the resource cannot run.
struct Refusal {
  enum class Kind : std::uint8_t {
    kNotInstalled = 5,   ///< a file is not on this node
    kNotConfigured = 6,  ///< a parameter is wrong on every node
  };
  Kind kind;
  std::string why;
};

/// Reads the parameters of the resource from OCF's environment, each with its default. One that
/// cannot be what it is set to counts as its default, and the first such is kept as a refusal: a
/// start refuses, but a stop does not.
class Parameters {
 public:
  static std::string text(const std::string& name, const std::string& otherwise = "");
  bool flag(const std::string& name, bool otherwise);
  std::int64_t number(const std::string& name, std::int64_t otherwise, std::int64_t least,
                      std::int64_t most);
  std::string word(const std::string& name, const std::string& otherwise,
                   const std::vector<std::string>& words);
  /// An IPv4 or IPv6 address (this with or without brackets), or the name of a host.
  std::string address(const std::string& name);
  /// Keeps a refusal of a parameter that the caller reads itself.
  void refuse(const std::string& why) { refuse({Refusal::Kind::kNotConfigured, why}); }
  void refuse(Refusal refusal) {
    if (!refusal_) refusal_ = std::move(refusal);
  }

  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  std::optional<Refusal> refusal_;
};

bool is_address(std::string_view text);
/// ADDRESS:PORT as --http of the servers has it: an IP address (IPv6 in brackets), "localhost", or
/// none.
bool is_endpoint(std::string_view text);

}  // namespace tandem::agent
