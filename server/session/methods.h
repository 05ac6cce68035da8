#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/jsonrpc.h"
#include "server/session/authority.h"

namespace tandem {

class Session;

/// An entry of the table of methods (methods.cc).
struct Method {
  /// The messages that it takes. Requests in another form are unknown methods, notifications in
  /// another form are ignored.
  enum class Form : std::uint8_t { kRequest, kNotification, kEither };
  using Handler = void (Session::*)(JsonRpcMessage&);

  std::string_view name;
  Form form;
  Authority needs;
  Handler run;     ///< called only for connections that have the authority
  Handler refuse;  ///< answers the others, whose other mistakes may come first; null with kAnyone
};

}  // namespace tandem
