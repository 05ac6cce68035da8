#include "server/session/authority.h"

#include <string_view>
#include <utility>

namespace tandem {

Result<PeerList> PeerList::parse(const std::string& text) {
  PeerList list;
  if (text == "any") return list;
  for (std::string_view rest = text;;) {
    const std::size_t end = rest.find(',');
    const std::string_view name = rest.substr(0, end);
    // A connection without a certificate has an empty name: that must never be on a list.
    if (name.empty())
      return Error{"\"" + text + "\" is neither \"any\" nor a list of names", "", std::nullopt};
    list.names_.emplace(name);
    if (end == std::string_view::npos) return list;
    rest.remove_prefix(end + 1);
  }
}

std::string PeerList::to_string() const {
  if (names_.empty()) return "any";
  std::string text;
  for (const std::string& name : names_) {
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

bool has_authority(const ConnectionInfo& connection, Authority needed, const PeerList& peers) {
  const bool root = connection.role.empty() && !connection.read_only;
  switch (needed) {
    case Authority::kAnyone:
      return true;
    case Authority::kWriter:
      return !connection.read_only;
    case Authority::kRoot:
      return root;
    case Authority::kPeer:
      return root && peers.contains(connection);
  }
  return false;
}

}  // namespace tandem
