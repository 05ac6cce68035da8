#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/net/socket_address.h"

namespace tandem::net {

/// The address of a host that may be a name. Names are asked for in a thread of their own, which
/// touches nothing of its asker: an I/O thread looks now and then whether the answer is there, and
/// may drop the question at any time.
class NameLookup {
 public:
  enum class State : std::uint8_t {
    kPending,  ///< the resolver has not answered yet
    kFound,    ///< address() is valid
    kUnknown,  ///< there is no such host, or the resolver does not answer
  };

  /// Numeric addresses are found at once; an empty host is every IPv4 address.
  NameLookup(const std::string& host, std::uint16_t port);

  State state() const;
  const SocketAddress& address() const;

 private:
  struct Answer;
  std::shared_ptr<Answer> answer_;
};

}  // namespace tandem::net
